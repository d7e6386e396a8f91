"""The sealed cookie: a session that travels whole, encrypted, in the visitor's cookie."""

from __future__ import annotations

from arc.errors import SessionTooLarge
from arc.sessions import jwe
from arc.sessions.lifetimes import NODES_WEEK, lifetime_of
from arc.sessions.record import Record
from arc.sessions.refused import Refused
from arc.sessions.stores.store import Written
from arc.sessions.text import decode, encode, encode_ascii, is_deep
from arc.sessions.values import check_depth, unreserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from arc.sessions.delta import Delta
    from arc.sessions.keyring import Keyring

MAX_COOKIE = 4096  # RFC 6265bis §5.6: name plus value, in bytes.
MAX_SKEW = 300  # A token from up to so many seconds ahead counts as made now.


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
        token, opened_by = jwe.unseal(value, self._keyring.opening, self._keyring.enc)
        text, payload = _parse(token)
        issued, expires = payload.get("iat"), payload.get("exp")
        if type(issued) is not int or issued <= 0 or (expires is not None and type(expires) is not int):
            raise Refused("malformed")
        if issued > now + MAX_SKEW:
            raise Refused("clock")
        data = unreserved(payload)
        return Record(
            _text(payload.get("_arc_id")) or _derived_id(value),
            data,
            created=_seconds(payload.get("_arc_created")) or issued,
            issued=min(issued, now),
            expires=expires,
            user_id=_text(payload.get("_arc_user")),
            signed_in_at=_seconds(payload.get("_arc_signed_in")),
            flashes=_flashes(payload.get("_arc_flash")),
            lifetime=lifetime_of(payload.get("_arc_life")),
            stale=opened_by > 0,
            text=_own(text) if list(payload)[: len(data) + 1] == [*data, "_arc_id"] else text,
        )

    def create(self, record: Record, now: int) -> str:
        """The token of `record`. Raises `SessionTooLarge`."""
        text = record.text or encode(record.data)
        facts = f'{"," if record.data else ""}"_arc_id":{encode(record.id)},"_arc_created":{record.created}'
        if record.user_id is not None:
            facts += f',"_arc_user":{encode(record.user_id)}'
        if record.signed_in_at is not None:
            facts += f',"_arc_signed_in":{record.signed_in_at}'
        if record.lifetime is not None:
            facts += f',"_arc_life":{encode(record.lifetime)}'
        if record.flashes:
            facts += f',"_arc_flash":{encode(record.flashes)}'
        facts += f',"iat":{now}'
        if record.expires is not None and record.expires < now + NODES_WEEK:
            facts += f',"exp":{record.expires}'
        token = jwe.seal(_format(f"{text[:-1]}{facts}}}"), self._keyring.sealing, self._keyring.enc, self._random(12))
        self._fit(token, record)
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

    def _fit(self, token: str, record: Record) -> None:
        size = len(self._cookie_name) + len(token)
        if size <= MAX_COOKIE:
            return
        sizes = sorted(
            ((len(_format(encode(element))), key) for key, element in record.data.items()),
            reverse=True,
        )
        largest = ", ".join(f"{key!r} ({length:,} byte{'' if length == 1 else 's'})" for length, key in sizes[:3])
        raise SessionTooLarge(
            f"The session makes a cookie of {size:,} bytes, and browsers keep {MAX_COOKIE:,}. "
            f"Largest: {largest or 'the flash messages'}. Store less, or set SESSION_TABLE_NAME to a table."
        )


def _parse(payload: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a payload, and what it stands for."""
    try:
        text = payload.decode("utf-8", "surrogatepass")
        found = decode(text)
        if not isinstance(found, dict):
            raise Refused("malformed")
        if is_deep(text):
            check_depth(found)
    except (ValueError, TypeError, RecursionError):
        raise Refused("malformed") from None
    return text, found


def _own(text: str) -> str:
    """The text of the data in a payload that has it first, and the session's own facts after it."""
    end = text.rfind(',"_arc_id":')
    return text[:end] + "}" if end > 0 else "{}"


def _format(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair that another writer stored
        return encode_ascii(decode(text)).encode()


def _derived_id(token: str) -> str:
    """A lasting id for a token that Node wrote: its own authentication tag, which only the key's owner can make."""
    return token[-22:]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _flashes(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        (pair[0], pair[1]) for pair in value if isinstance(pair, list) and [type(part) for part in pair] == [str, str]
    )
