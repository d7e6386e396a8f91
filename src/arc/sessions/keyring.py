"""From secrets to keys: which one seals, which ones open."""

from __future__ import annotations

import hmac
import logging
from base64 import b64decode
from functools import cached_property

from arc.errors import ConfigurationError, MissingSecret
from arc.sessions.jwe import KEY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from arc.settings import Settings

MIN_SECRET = 16  # UTF-16 units, as Node counts
_DEVELOPMENT = "12345678901234567890123456789012"
_LEGACY_DEVELOPMENT = "1234567890123456"
_PUBLISHED = "something-much-better-than-this"
_logger = logging.getLogger("arc.sessions")


class Keyring:
    """The keys of `settings`: `sealing` and `opening` ciphers, `signing` secrets, and keys for other purposes.

    The first of each list is in use; the rest, from `ARC_APP_SECRET_FALLBACKS`, only open. Raises
    `MissingSecret` and `ConfigurationError`, and warns about a weak secret, when it is made.
    """

    def __init__(self, settings: Settings) -> None:
        self.enc = "A128GCM" if settings.legacy else settings.enc
        self._settings = settings
        if settings.secret is None and not settings.testing:
            raise MissingSecret(_missing(settings))
        # Without a secret, which testing alone allows, Node's development key seals and its own words sign.
        first = _DEVELOPMENT[: KEY_BYTES[self.enc]].encode() if settings.secret is None else None
        fallbacks = [self._key(secret, "ARC_APP_SECRET_FALLBACKS") for secret in settings.fallbacks]
        self._keys = [first or self._key(settings.secret or "", "ARC_APP_SECRET"), *fallbacks]
        words = (settings.secret or settings.app_name or "fallback", *settings.fallbacks)
        self.signing = tuple(word.encode("utf-8", "replace") for word in words)

    @cached_property
    def opening(self) -> tuple[AESGCM, ...]:
        """The ciphers that open a sealed session, the sealing one first."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return tuple(AESGCM(key) for key in self._keys)

    @property
    def sealing(self) -> AESGCM:
        """The cipher that seals."""
        return self.opening[0]

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A key of 32 bytes for another `purpose`, one for each secret in the order of `signing` (RFC 5869)."""
        return tuple(_hkdf(secret, f"arc-sessions {purpose}", 32) for secret in self.signing)

    def _key(self, secret: str, name: str) -> bytes:
        size = KEY_BYTES[self.enc]
        if self._settings.legacy:
            key = _lenient_base64(secret)[:size]
            if len(key) < size:
                raise ConfigurationError(
                    f"{name} is too short for ARC_FORCE_LEGACY_JWE_SECRET: 22 characters are needed."
                )
        else:
            key = self._stretched_or_cut(secret, name, size)
        published = (_DEVELOPMENT[:size].encode(), _LEGACY_DEVELOPMENT.encode())
        if not self._settings.testing and any(hmac.compare_digest(key, one) for one in published):
            raise ConfigurationError(
                f"{name} gives the development key, which everybody knows. Set a secret of your own: {_command(self._settings)}"
            )
        return key

    def _stretched_or_cut(self, secret: str, name: str, size: int) -> bytes:
        units = secret.encode("utf-16-le", "surrogatepass")
        length = len(units) // 2
        if length < MIN_SECRET and not self._settings.testing:
            raise ConfigurationError(
                f"{name} has {length} characters, and at least {MIN_SECRET} are needed. Set a longer one: "
                f"{_command(self._settings)}"
            )
        if secret == _PUBLISHED:
            _logger.warning("%s is the example of a public web page. Set a secret of your own.", name)
        if length >= size:
            return units[: 2 * size].decode("utf-16-le", "replace").encode("utf-8", "replace")[:size]
        _logger.warning("%s has fewer than %d characters: it is stretched, and Node cannot use it.", name, size)
        return _hkdf(secret.encode("utf-8", "replace"), f"arc-sessions seal {self.enc}", size)


def _missing(settings: Settings) -> str:
    where = settings.environment
    if where is None:
        return "ARC_APP_SECRET is not set, and neither is ARC_ENV. Set ARC_ENV=testing to develop, or set both."
    if where == "testing":
        return "ARC_APP_SECRET is not set, and on Lambda the development key is not used. Set ARC_APP_SECRET."
    return f"ARC_APP_SECRET is not set for {where}. Set one: {_command(settings)}"


def _command(settings: Settings) -> str:
    return f'arc env {settings.environment or "production"} ARC_APP_SECRET "$(openssl rand -base64 32)"'


def _lenient_base64(text: str) -> bytes:
    """What Node's Buffer makes of `text` as base64: both alphabets, anything else skipped, an end at `=`."""
    kept = "".join(
        one
        for one in text.partition("=")[0].replace("-", "+").replace("_", "/")
        if one.isascii() and (one.isalnum() or one in "+/")
    )
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return b64decode(kept + "=" * (-len(kept) % 4))


def _hkdf(secret: bytes, info: str, size: int) -> bytes:
    """HKDF-SHA256 with an empty salt (RFC 5869 §2), for at most one block of 32 bytes."""
    pseudorandom = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(pseudorandom, info.encode() + b"\x01", "sha256")[:size]
