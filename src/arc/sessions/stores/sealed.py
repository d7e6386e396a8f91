"""Sealed sessions: all data is encrypted in the visitor's cookie."""

from __future__ import annotations

from arc.errors import SessionTooLarge
from arc.sessions import jwe
from arc.sessions.lifetimes import NODES_WEEK, parse_lifetime
from arc.sessions.record import Record, Refused
from arc.sessions.stores.store import Written
from arc.sessions.text import check_depth, decode, decode_own, encode, encode_ascii, quoted
from arc.sessions.values import RESERVED, drop_reserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from arc.sessions.delta import Delta
    from arc.sessions.keyring import Keyring

MAX_COOKIE = 4096  # RFC 6265bis §5.6: name plus value, in bytes.
MAX_SKEW = 300  # seconds by which the clock of another machine may be ahead
_FACTS = frozenset(("_arc_id", "_arc_created", "_arc_user", "_arc_signed_in", "_arc_life", "_arc_flash", "iat", "exp"))


class SealedStore:
    """Sessions as JWE tokens that Node's `@architect/functions` reads and writes.

    The session's facts are in the payload under `_arc_…`. It has an `exp` only if that is earlier than Node's fixed
    week. `random(n)` returns n bytes for nonces.
    """

    revocable = False
    on_server = False
    merges = False
    typed_numbers = True

    __slots__ = ("_cookie_name", "_keyring", "_random")

    def __init__(self, keyring: Keyring, cookie_name: str, *, random: Callable[[int], bytes]) -> None:
        self._keyring, self._cookie_name, self._random = keyring, cookie_name, random

    def load(self, value: str, now: int) -> Record:
        """Return the record sealed in `value`. Raises `Refused`."""
        payload, opened_by = jwe.unseal(value, self._keyring.opening, self._keyring.enc)
        data, facts, text = _parse(payload)
        issued, expires = facts.get("iat"), facts.get("exp")
        if type(issued) is not int or issued <= 0 or (expires is not None and type(expires) is not int):
            raise Refused("malformed")
        if issued > now + MAX_SKEW:
            raise Refused("clock")
        record = Record(
            _text(facts.get("_arc_id")) or _derived_id(value),
            data,
            created=_seconds(facts.get("_arc_created")) or issued,
            issued=min(issued, now),
            expires=expires,
            stale=opened_by > 0,
            text=text,
        )
        if "_arc_user" in facts:
            if isinstance(facts["_arc_user"], str) and not _is_valid(facts["_arc_user"]):
                raise Refused("malformed")  # Without a principal, the next visitor to sign in would get its data.
            record.user_id, record.signed_in_at = _text(facts["_arc_user"]), _seconds(facts.get("_arc_signed_in"))
        if "_arc_flash" in facts:
            record.flashes = _flashes(facts["_arc_flash"])
        if "_arc_life" in facts:
            record.lifetime = parse_lifetime(facts["_arc_life"])
        return record

    def create(self, record: Record, now: int) -> str:
        """Return the token of `record`. Raises `SessionTooLarge`."""
        text = record.text or encode(record.data)
        facts = f'{"," if record.data else ""}"_arc_id":{quoted(record.id)},"_arc_created":{record.created}'
        if record.user_id is not None:
            facts += f',"_arc_user":{quoted(record.user_id)}'
        if record.signed_in_at is not None:
            facts += f',"_arc_signed_in":{record.signed_in_at}'
        if record.lifetime is not None:
            facts += f',"_arc_life":{encode(record.lifetime)}'
        if record.flashes:
            facts += f',"_arc_flash":{encode(record.flashes)}'
        facts += f',"iat":{now}'
        if record.expires is not None and record.expires < now + NODES_WEEK:
            facts += f',"exp":{record.expires}'
        payload = _utf8(f"{text[:-1]}{facts}}}")
        token = jwe.seal(payload, self._keyring.sealing, self._keyring.enc, self._random(12))
        if len(self._cookie_name) + len(token) > MAX_COOKIE:
            raise self._too_large(record, len(self._cookie_name) + len(token))
        return token

    def replace(
        self,
        loaded: Record,  # noqa: ARG002  # Nothing ends a sealed session.
        record: Record,
        delta: Delta | None,  # noqa: ARG002  # Nothing merges with it.
        now: int,
        *,
        signing_in: bool = False,  # noqa: ARG002
    ) -> Written:
        """Return the token of the record. Raises `SessionTooLarge`."""
        return Written(self.create(record, now))

    update = replace

    def renew(self, loaded: Record, record: Record, now: int) -> Written:  # noqa: ARG002
        """Return the token of the record. Raises `SessionTooLarge`."""
        return Written(self.create(record, now))

    def destroy(self, loaded: Record, now: int) -> None:
        """Do nothing: a sealed session ends with its cookie, and a copy of the cookie is valid until it expires."""

    def _too_large(self, record: Record, size: int) -> SessionTooLarge:
        sizes = sorted(
            ((len(_utf8(encode(element))), key) for key, element in record.data.items()),
            reverse=True,
        )
        largest = ", ".join(f"{key!r} ({length:,} byte{'' if length == 1 else 's'})" for length, key in sizes[:3])
        return SessionTooLarge(
            f"The session's cookie has {size:,} bytes, and browsers accept {MAX_COOKIE:,}. "
            f"Largest: {largest or 'the flash messages'}. Store less, or set SESSION_TABLE_NAME to a table."
        )


def _parse(payload: bytes) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """Return the app's data in a payload, the session's facts, and the text of the data if that is known."""
    try:
        text = payload.decode("utf-8", "surrogatepass")
        own = _split_own(text)
        if own is not None:
            check_depth(payload, own[0], own[1])
            return own
        everything = decode(text)
        if not isinstance(everything, dict):
            raise Refused("malformed")
        check_depth(payload, everything)
    except (ValueError, TypeError, RecursionError):
        raise Refused("malformed") from None
    return drop_reserved(everything), everything, None


def _split_own(text: str) -> tuple[dict[str, Any], dict[str, Any], str] | None:
    """Return the result of `_parse` for a payload that `create` made, with the facts after the data; otherwise None.

    Then the text of the data is known, and the data has no reserved keys.
    """
    end = text.rfind(',"_arc_id":')
    own, rest = (f"{text[:end]}}}", f"{{{text[end + 1 :]}") if end > 0 else ("{}", text)
    if '"_arc_' in own or "\\u00" in own or rest[:1] != "{":  # A reserved name, or one that may be hidden by escapes.
        return None
    try:
        data, facts = decode_own(own), decode_own(rest)
    except (ValueError, RecursionError):
        return None
    # A comma without a key before it is not valid JSON.
    if not RESERVED.isdisjoint(data) or not facts.keys() <= _FACTS or (end > 0 and not data):
        return None
    return data, facts, own


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # Another writer stored half a surrogate pair.
        return encode_ascii(decode(text)).encode()


def _derived_id(token: str) -> str:
    """Return a stable id for a token that Node wrote: its authentication tag, which requires the key."""
    return token[-22:]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and _is_valid(value) else None


def _is_valid(text: object) -> bool:
    """True for text without half of a surrogate pair, which we never write and tables cannot store."""
    if not isinstance(text, str):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _seconds(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _flashes(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        return ()
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2]  # noqa: PLR2004  # kind and message
    return tuple((kind, message) for kind, message in pairs if _is_valid(kind) and _is_valid(message))
