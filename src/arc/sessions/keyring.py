"""Deriving keys from secrets.

Each secret becomes one key for sealing, whose length the content encryption demands (32, 24 or 16 bytes):

- A secret with at least as many characters is cut as Node cuts it, so that Node opens our tokens.
- A shorter secret, of at least 16 characters, is stretched with HKDF-SHA256 (RFC 5869): its UTF-8, no salt, and the
  info `arc-sessions:seal:A256GCM` (or another encryption). This logs one warning, because Node cannot do it.
- In legacy mode (`ARC_FORCE_LEGACY_JWE_SECRET`) a secret is decoded as base64 as Node does it, and cut to 16 bytes.

Characters are UTF-16 units, as in JavaScript. Keys for other purposes are 32 bytes of HKDF-SHA256 with the info
`arc-sessions:purpose:<purpose>`, so that a token made for one purpose is invalid for any other.
"""

from __future__ import annotations

from binascii import a2b_base64
from functools import cached_property

from arc.errors import ConfigurationError, MissingSecret
from arc.sessions.jwe import KEY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from arc.settings import Settings

MIN_SECRET = 16  # characters
_DEVELOPMENT = "12345678901234567890123456789012"  # Node's default key; its prefixes are those of 24 and 16 bytes
_EXAMPLE = "something-much-better-than-this"  # in Architect's documentation
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LOW_FIRST = b"\xff\xfe"  # the byte order mark of UTF-16 whose low byte is first
_warned: set[str] = set()


def _warn_once(message: str) -> None:
    """Log `message` as a warning of `arc.sessions`, once in a process."""
    if message not in _warned:
        _warned.add(message)
        import logging

        logging.getLogger("arc.sessions").warning(message)


class Keyring:
    """The keys from the secrets in `settings`: `sealing` and `opening` ciphers, `signing` secrets and derived keys.

    The first of each is in use. The others, from `ARC_APP_SECRET_FALLBACKS`, only open. `enc` is the content
    encryption. Raises `MissingSecret` and `ConfigurationError`, and calls `warn` with a message for each weak secret.
    """

    def __init__(self, settings: Settings, *, warn: Callable[[str], None] = _warn_once) -> None:
        self.enc = "A128GCM" if settings.legacy else settings.enc
        if not settings.secret and not settings.testing:
            raise MissingSecret(_missing(settings))
        secrets = [("ARC_APP_SECRET", settings.secret)] if settings.secret else []
        secrets += [
            (f"Secret {number} of ARC_APP_SECRET_FALLBACKS", secret)
            for number, secret in enumerate(settings.fallbacks, start=1)
        ]
        self._keys = [_sealing_key(secret, name, settings, self.enc, warn) for name, secret in secrets]
        if not settings.secret:  # Only in testing: Node's development key seals, and the app's name signs.
            self._keys.insert(0, _DEVELOPMENT[: KEY_BYTES[self.enc]].encode())
        words = (settings.secret or settings.app_name or "fallback", *settings.fallbacks)
        self.signing = tuple(_utf8(_units(word)) for word in words)
        self._derived: dict[str, tuple[bytes, ...]] = {}

    @cached_property
    def opening(self) -> tuple[AESGCM, ...]:
        """The ciphers that open sealed sessions, created at first use. The first one seals."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return tuple(AESGCM(key) for key in self._keys)

    @property
    def sealing(self) -> AESGCM:
        """The cipher that seals."""
        return self.opening[0]

    @property
    def has_duplicate_keys(self) -> bool:
        """True when two secrets have the same sealing key, so that replacing one by the other changes nothing."""
        return len(set(self._keys)) < len(self._keys)

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """Return keys of 32 bytes for a `purpose`, one for each secret in the order of `signing`."""
        keys = self._derived.get(purpose)
        if keys is None:
            info = f"arc-sessions:purpose:{purpose}"
            keys = self._derived[purpose] = tuple(_hkdf(secret, info) for secret in self.signing)
        return keys

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._keys)} keys for {self.enc}>"


def _sealing_key(secret: str, name: str, settings: Settings, enc: str, warn: Callable[[str], None]) -> bytes:
    """Return the key of one secret. Raises `ConfigurationError`, which mentions `name` and never the secret."""
    size, units = KEY_BYTES[enc], _units(secret)
    length = len(units) // 2
    if settings.legacy:
        key = _lenient_base64(units)[:size]
        if len(key) < size:
            raise ConfigurationError(
                f"{name} has {len(key)} bytes of base64, and ARC_FORCE_LEGACY_JWE_SECRET requires {size}. "
                f"{_remedy(name, settings)}"
            )
    elif not secret.strip() and not settings.testing:
        raise ConfigurationError(f"{name} is blank. {_remedy(name, settings)}")
    elif length < MIN_SECRET and not settings.testing:
        raise ConfigurationError(
            f"{name} has {length} characters, and at least {MIN_SECRET} are required. {_remedy(name, settings)}"
        )
    else:
        cut = length >= size
        key = _utf8(units[: 2 * size])[:size] if cut else _hkdf(_utf8(units), f"arc-sessions:seal:{enc}")[:size]
    if not settings.testing and _is_development(secret, key):
        raise ConfigurationError(f"{name} is a published development key. {_remedy(name, settings)}")
    if secret == _EXAMPLE:
        warn(f"{name} is a well-known example value. {_change(name, settings)}")
    elif length < size:
        warn(
            f"{name} has {length} characters, and {enc} should have at least {size}. It is stretched, which Node's "
            f"library does not support. {_change(name, settings)}"
        )
    return key


def _is_development(secret: str, key: bytes) -> bool:
    published = [_DEVELOPMENT[:size].encode() for size in KEY_BYTES.values()]
    return key in published or _DEVELOPMENT.startswith(secret)


def _missing(settings: Settings) -> str:
    where = settings.environment
    if where is None:
        return (
            "ARC_APP_SECRET and ARC_ENV are not set. For development, set ARC_ENV=testing, which needs no secret. If "
            "this is a deployed function and its environment has a secret, run: arc env verify production. Only if the "
            f"environment has none, set ARC_ENV and a new secret: {_command(settings)}"
        )
    if where == "testing":
        return (
            "ARC_APP_SECRET is not set, and ARC_ENV=testing has no development key on Lambda. "
            f"Set a secret: {_command(settings)}"
        )
    return (
        f"ARC_APP_SECRET is not set in {where}. If the environment has a secret that this function lacks, run: "
        f"arc env verify {where}. Only if it has none, set a new one: {_command(settings)}"
    )


def _remedy(name: str, settings: Settings) -> str:
    if name != "ARC_APP_SECRET":
        return "Remove it from the list. Sessions that only this secret opens are lost."
    return f"Set another one: {_command(settings)}"


def _change(name: str, settings: Settings) -> str:
    """Return how to change a secret without signing anyone out."""
    if name != "ARC_APP_SECRET" or settings.testing:
        return _remedy(name, settings)
    return f"Rotate it, which signs no one out: arc secret rotate {settings.environment or 'production'}"


def _command(settings: Settings) -> str:
    return f"arc secret new | arc env {settings.environment or 'production'} ARC_APP_SECRET"


def _units(text: str) -> bytes:
    """Encode `text` as JavaScript does: UTF-16 units of two bytes, the low byte first."""
    units = text.encode("utf-16", "surrogatepass")  # "utf-16-le" has to import its codec.
    return units[2:] if units.startswith(_LOW_FIRST) else text.encode("utf-16-le", "surrogatepass")


def _utf8(units: bytes) -> bytes:
    """Convert UTF-16 units to UTF-8 as Node's Buffer does: half a surrogate pair becomes U+FFFD."""
    return (_LOW_FIRST + units).decode("utf-16", "replace").encode()


def _lenient_base64(units: bytes) -> bytes:
    """Decode base64 as Node's Buffer does: the low byte of each unit, in both alphabets, up to the first `=`."""
    low = units[::2].translate(bytes.maketrans(b"-_", b"+/")).partition(b"=")[0]
    digits = bytes(byte for byte in low if byte in _BASE64)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return a2b_base64(digits + b"===")


def _hkdf(secret: bytes, info: str) -> bytes:
    """Derive the 32 bytes of the first block of HKDF-SHA256 without salt (RFC 5869 §2)."""
    import hmac  # Sealed sessions do not need it.

    pseudorandom = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(pseudorandom, info.encode() + b"\x01", "sha256")
