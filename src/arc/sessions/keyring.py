"""From secrets to keys: which one seals, which ones open.

Each secret becomes one key for sealing, as long as the content encryption asks (32, 24 or 16 bytes):

- of at least as many characters: cut as Node cuts it, so that Node opens what we seal;
- shorter, down to 16 characters: HKDF-SHA256 (RFC 5869) of the whole secret's UTF-8, without salt, with the
  info `arc-sessions:seal:A256GCM` (or the other name), and one warning, because Node takes no such secret;
- in legacy mode (`ARC_FORCE_LEGACY_JWE_SECRET`): read as base64 as Node reads it, cut to 16 bytes.

Characters are UTF-16 units, as JavaScript counts them. Keys for other purposes are 32 bytes, HKDF-SHA256
with the info `arc-sessions:purpose:<purpose>`, so that no token of one purpose opens for another.
"""

from __future__ import annotations

from binascii import a2b_base64

from arc.errors import ConfigurationError, MissingSecret
from arc.sessions.jwe import KEY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from arc.settings import Settings

MIN_SECRET = 16  # characters
_DEVELOPMENT = "12345678901234567890123456789012"  # Node's key when nothing is set, and its 24 and 16 digit prefixes
_ON_A_WEB_PAGE = "something-much-better-than-this"
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_warned: set[str] = set()


def _warn_once(message: str) -> None:
    """Log `message` as a warning of `arc.sessions`, once in a process."""
    if message not in _warned:
        _warned.add(message)
        import logging

        logging.getLogger("arc.sessions").warning("%s", message)


class Keyring:
    """The keys of `settings`: `sealing` and `opening` ciphers, `signing` secrets, and keys for other purposes.

    The first of each is in use; the rest, from `ARC_APP_SECRET_FALLBACKS`, only open. `enc` names the
    content encryption. Raises `MissingSecret` and `ConfigurationError` when it is made, and calls `warn`
    with a sentence for each weak secret.
    """

    __slots__ = ("_ciphers", "_derived", "_keys", "enc", "signing")

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
        if not settings.secret:  # Testing alone gets here: Node's development key seals, its own words sign.
            self._keys.insert(0, _DEVELOPMENT[: KEY_BYTES[self.enc]].encode())
        words = (settings.secret or settings.app_name or "fallback", *settings.fallbacks)
        self.signing = tuple(_utf8(_units(word)) for word in words)
        self._ciphers: tuple[AESGCM, ...] = ()
        self._derived: dict[str, tuple[bytes, ...]] = {}

    @property
    def opening(self) -> tuple[AESGCM, ...]:
        """The ciphers that open a sealed session, the sealing one first. Made at first use."""
        if not self._ciphers:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._ciphers = tuple(AESGCM(key) for key in self._keys)
        return self._ciphers

    @property
    def sealing(self) -> AESGCM:
        """The cipher that seals."""
        return self.opening[0]

    @property
    def has_twins(self) -> bool:
        """True when two of the secrets give one sealing key, so that changing from one to the other changes nothing."""
        return len(set(self._keys)) < len(self._keys)

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """Keys of 32 bytes for another `purpose`, one for each secret in the order of `signing`."""
        keys = self._derived.get(purpose)
        if keys is None:
            info = f"arc-sessions:purpose:{purpose}"
            keys = self._derived[purpose] = tuple(_hkdf(secret, info, 32) for secret in self.signing)
        return keys

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._keys)} keys for {self.enc}>"


def _sealing_key(secret: str, name: str, settings: Settings, enc: str, warn: Callable[[str], None]) -> bytes:
    """The key of one secret. Raises `ConfigurationError` naming `name`, never showing the secret."""
    size, units = KEY_BYTES[enc], _units(secret)
    length = len(units) // 2
    if settings.legacy:
        key = _lenient_base64(units)[:size]
        if len(key) < size:
            raise ConfigurationError(
                f"{name} holds {len(key)} bytes of base64, and ARC_FORCE_LEGACY_JWE_SECRET needs {size}. "
                f"{_remedy(name, settings)}"
            )
    elif not secret.strip() and not settings.testing:
        raise ConfigurationError(f"{name} is blank. {_remedy(name, settings)}")
    elif length < MIN_SECRET and not settings.testing:
        raise ConfigurationError(
            f"{name} has {length} characters, and at least {MIN_SECRET} are needed. {_remedy(name, settings)}"
        )
    else:
        cut = length >= size
        key = _utf8(units[: 2 * size])[:size] if cut else _hkdf(_utf8(units), f"arc-sessions:seal:{enc}", size)
    if not settings.testing and _is_development(secret, key):
        raise ConfigurationError(f"{name} gives a development key that everybody knows. {_remedy(name, settings)}")
    if secret == _ON_A_WEB_PAGE:
        warn(f"{name} is the example of a public web page. {_change(name, settings)}")
    elif length < size:
        warn(
            f"{name} has {length} characters, and {enc} is best served by {size} or more: this one is stretched, "
            f"which Node's library cannot do. {_change(name, settings)}"
        )
    return key


def _is_development(secret: str, key: bytes) -> bool:
    published = [_DEVELOPMENT[:size].encode() for size in KEY_BYTES.values()]
    return key in published or _DEVELOPMENT.startswith(secret)


def _missing(settings: Settings) -> str:
    where = settings.environment
    if where is None:
        return (
            "ARC_APP_SECRET is not set, and ARC_ENV is unset. To develop, set ARC_ENV=testing, which needs no secret. "
            "If this is a deployed function whose environment has a secret, run: arc env verify production. Only if "
            f"the environment has none, set ARC_ENV and a new secret: {_command(settings)}"
        )
    if where == "testing":
        return (
            "ARC_APP_SECRET is not set, and ARC_ENV=testing on Lambda takes no development key. "
            f"Set one: {_command(settings)}"
        )
    return (
        f"ARC_APP_SECRET is not set for {where}. If the environment has a secret that this function lacks, run: "
        f"arc env verify {where}. Only if it has none, set a new one: {_command(settings)}"
    )


def _remedy(name: str, settings: Settings) -> str:
    if name != "ARC_APP_SECRET":
        return "Take it off the list; sessions that only it opens start afresh."
    return f"Set another: {_command(settings)}"


def _change(name: str, settings: Settings) -> str:
    """How to change a secret that works without signing anybody out."""
    if name != "ARC_APP_SECRET" or settings.testing:
        return _remedy(name, settings)
    return f"Change it, which signs nobody out: arc secret rotate {settings.environment or 'production'}"


def _command(settings: Settings) -> str:
    return f'arc env {settings.environment or "production"} ARC_APP_SECRET "$(arc secret new)"'


def _units(text: str) -> bytes:
    """`text` as JavaScript holds it: UTF-16 units of two bytes, the low byte first."""
    return text.encode("utf-16-le", "surrogatepass")


def _utf8(units: bytes) -> bytes:
    """The UTF-8 that Node's Buffer makes of UTF-16 units: half a surrogate pair becomes U+FFFD."""
    return units.decode("utf-16-le", "replace").encode()


def _lenient_base64(units: bytes) -> bytes:
    """What Node's Buffer reads as base64: the low byte of each unit, both alphabets, to the first `=`."""
    low = units[::2].translate(bytes.maketrans(b"-_", b"+/")).partition(b"=")[0]
    kept = bytes(byte for byte in low if byte in _BASE64)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return a2b_base64(kept + b"===")


def _hkdf(secret: bytes, info: str, size: int) -> bytes:
    """HKDF-SHA256 without salt (RFC 5869 §2), for `size` up to 32 bytes, which is one block."""
    import hmac  # which a sealed session does without

    pseudorandom = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(pseudorandom, info.encode() + b"\x01", "sha256")[:size]
