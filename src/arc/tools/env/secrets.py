"""New secrets."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BYTES = 32  # 43 characters, of which the runtime's key takes the first 32: 192 bits of chance


def new_secret(*, random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """A random secret for `ARC_APP_SECRET`: 43 characters of base64url, the first always a letter or a digit.

    So it can be typed anywhere, and is never taken for an option.
    """
    while True:
        secret = random(_BYTES)
        if secret[0] not in "-_":
            return secret
