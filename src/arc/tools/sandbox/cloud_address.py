"""`cloud.json`: where the running local cloud of an app is found."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "cloud.json"


@dataclass(frozen=True)
class CloudAddress:
    """A local cloud at `port` of 127.0.0.1 that says `token`, started by the process with the number `process`."""

    port: int
    process: int
    token: str = field(repr=False)

    def write(self, home: Path) -> None:
        """Leave it in the folder `home`, for the eyes of this user alone. Raises `OSError`."""
        written = home / f"{_FILE}.new"
        written.unlink(missing_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        written.replace(home / _FILE)


def read(home: Path) -> CloudAddress | None:
    """The address in the folder `home`, None without one."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((home / _FILE).read_text(encoding="utf-8"))
        match told:
            case {"port": int(port), "process": int(process), "token": str(token)}:
                return CloudAddress(port, process, token)
    return None


def forget(home: Path) -> None:
    """Take the address out of the folder `home`."""
    (home / _FILE).unlink(missing_ok=True)
