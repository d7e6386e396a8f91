"""The sealed cookie: a session that travels whole, encrypted, in the visitor's cookie."""

from __future__ import annotations

from arc.errors import SessionTooLarge
from arc.sessions import jwe
from arc.sessions.lifetimes import NODES_WEEK, lifetime_of
from arc.sessions.record import Record, Refused
from arc.sessions.stores.store import Written
from arc.sessions.text import check_depth, decode, decode_own, encode, encode_ascii, quoted
from arc.sessions.values import RESERVED, unreserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from arc.sessions.delta import Delta
    from arc.sessions.keyring import Keyring

MAX_COOKIE = 4096  # RFC 6265bis §5.6: name plus value, in bytes.
MAX_SKEW = 300  # A token from up to so many seconds ahead counts as made now.
_FACTS = frozenset(("_arc_id", "_arc_created", "_arc_user", "_arc_signed_in", "_arc_life", "_arc_flash", "iat", "exp"))


class SealedStore:
    """Sessions as JWE tokens, byte for byte as Node's `@architect/functions` reads and writes them.

    The session's own facts travel under `_arc_…`. `exp` is written only when it shortens Node's fixed
    week. `random(n)` gives n bytes for nonces.
    """

    revocable = False
    on_server = False
    merges = False
    typed_numbers = True

    __slots__ = ("_cookie_name", "_keyring", "_random")

    def __init__(self, keyring: Keyring, cookie_name: str, *, random: Callable[[int], bytes]) -> None:
        self._keyring, self._cookie_name, self._random = keyring, cookie_name, random

    def load(self, value: str, now: int) -> Record:
        """The record sealed in `value`. Raises `Refused`."""
        payload, opened_by = jwe.unseal(value, self._keyring.opening, self._keyring.enc)
        data, facts, text = _parsed(payload)
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
                raise Refused("malformed")  # else its data would pass to the next visitor who signs in
            record.user_id, record.signed_in_at = _text(facts["_arc_user"]), _seconds(facts.get("_arc_signed_in"))
        if "_arc_flash" in facts:
            record.flashes = _flashes(facts["_arc_flash"])
        if "_arc_life" in facts:
            record.lifetime = lifetime_of(facts["_arc_life"])
        return record

    def create(self, record: Record, now: int) -> str:
        """The token of `record`. Raises `SessionTooLarge`."""
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

    def update(self, loaded: Record, record: Record, delta: Delta | None, now: int) -> Written:  # noqa: ARG002
        """The token of the changed record. Raises `SessionTooLarge`."""
        return Written(self.create(record, now))

    def replace(
        self,
        loaded: Record,  # noqa: ARG002  # nothing can end it
        record: Record,
        delta: Delta | None,  # noqa: ARG002
        now: int,
        *,
        signing_in: bool,  # noqa: ARG002
    ) -> Written:
        """The token of the record under its new id. Raises `SessionTooLarge`."""
        return Written(self.create(record, now))

    def renew(self, loaded: Record, record: Record, now: int) -> Written:  # noqa: ARG002  # the contract's shape
        """The token of the record, made now. Raises `SessionTooLarge`."""
        return Written(self.create(record, now))

    def destroy(self, loaded: Record, now: int) -> None:
        """Nothing: a sealed session ends with its cookie, and a captured copy opens until it expires."""

    def _too_large(self, record: Record, size: int) -> SessionTooLarge:
        sizes = sorted(
            ((len(_utf8(encode(element))), key) for key, element in record.data.items()),
            reverse=True,
        )
        largest = ", ".join(f"{key!r} ({length:,} byte{'' if length == 1 else 's'})" for length, key in sizes[:3])
        return SessionTooLarge(
            f"The session makes a cookie of {size:,} bytes, and browsers keep {MAX_COOKIE:,}. "
            f"Largest: {largest or 'the flash messages'}. Store less, or set SESSION_TABLE_NAME to a table."
        )


def _parsed(payload: bytes) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """The application's data in a payload, the session's own facts, and the text of the data where that is at hand."""
    try:
        text = payload.decode("utf-8", "surrogatepass")
        own = _own_parts(text)
        if own is not None:
            check_depth(payload, own[0], own[1])
            return own
        found = decode(text)
        if not isinstance(found, dict):
            raise Refused("malformed")
        check_depth(payload, found)
    except (ValueError, TypeError, RecursionError):
        raise Refused("malformed") from None
    return unreserved(found), found, None


def _own_parts(text: str) -> tuple[dict[str, Any], dict[str, Any], str] | None:
    """What `_parsed` returns for a payload as `create` makes it, the data first and the facts after it; else None.

    The text of the data is then what the session is compared with, and nothing in it has to be left out.
    """
    end = text.rfind(',"_arc_id":')
    own, rest = (f"{text[:end]}}}", f"{{{text[end + 1 :]}") if end > 0 else ("{}", text)
    if '"_arc_' in own or "\\u00" in own or rest[:1] != "{":  # a reserved name, perhaps with letters as escapes
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
    except UnicodeEncodeError:  # half a surrogate pair that another writer stored
        return encode_ascii(decode(text)).encode()


def _derived_id(token: str) -> str:
    """A lasting id for a token that Node wrote: its own authentication tag, which only the key's owner can make."""
    return token[-22:]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and _is_valid(value) else None


def _is_valid(text: object) -> bool:
    """True for text without half of a surrogate pair, which nothing of ours writes and a table cannot keep."""
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
