"""Sealed sessions: all data is encrypted in the visitor's cookie."""

from __future__ import annotations

from arc.errors import SessionTooLarge
from arc.sessions import jwe
from arc.sessions.record import NODES_WEEK, Record, Refused, parse_lifetime
from arc.sessions.text import decode, decode_own, encode, encode_ascii, quoted
from arc.sessions.values import RESERVED, drop_reserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from arc.sessions.delta import Delta
    from arc.sessions.keyring import Keyring
    from arc.sessions.stores.store import Written

MAX_COOKIE = 4096  # RFC 6265bis §5.6: name plus value, in bytes.
MAX_SKEW = 300  # seconds by which the clock of another machine may be ahead
_OTHER_FACTS = RESERVED.difference(("iat",))


class SealedStore:
    """Sessions as JWE tokens that Node's `@architect/functions` reads and writes.

    The session's facts are in the payload under `_arc_…`. It has an `exp` only if that is earlier than Node's fixed
    week. `random(n)` returns n bytes for nonces.
    """

    revocable = False
    on_server = False
    merges = False
    typed_numbers = True

    __slots__ = ("_enc", "_keyring", "_random", "_room")

    def __init__(self, keyring: Keyring, cookie_name: str, *, random: Callable[[int], bytes]) -> None:
        self._keyring, self._random, self._enc = keyring, random, keyring.enc
        self._room = MAX_COOKIE - len(cookie_name)

    def load(self, value: str, now: int) -> Record:
        """Return the record sealed in `value`. Raises `Refused`."""
        payload, opened_by = jwe.unseal(value, self._keyring.opening, self._enc)
        try:
            text = payload.decode("utf-8", "surrogatepass")
            data = decode_own(text, payload)
        except (ValueError, TypeError, RecursionError):
            raise Refused("malformed") from None
        if type(data) is not dict:
            raise Refused("malformed")
        issued, created, session_id = data.pop("iat", None), data.pop("_arc_created", None), data.pop("_arc_id", None)
        at = issued
        if type(issued) is not int or not 0 < issued <= now:
            at = _unusual_time(issued, now)
        if type(session_id) is not str or not session_id or not (session_id.isascii() or _is_valid(session_id)):
            session_id = _derived_id(value)
        if type(created) is not int or created <= 0:
            created = issued
        record = Record(session_id, data, created, at)
        if opened_by:
            record.stale = True
        facts = f',"_arc_id":"{session_id}","_arc_created":{created}'
        end = f'{facts},"iat":{issued}}}'
        # Few tokens have anything else that belongs to the session. A name in another key costs only time.
        if not _OTHER_FACTS.isdisjoint(data) or "_arc_" in "".join(data):
            _take_facts(record, data)
            _keep_text(record, text, issued)
        elif text.endswith(end):
            record.text, record.state = f"{text[: -len(end)]}}}", facts  # The next token has the same facts.
        else:
            _keep_text(record, text, issued)
        return record

    def create(self, record: Record, now: int) -> str:
        """Return the token of `record`. Raises `SessionTooLarge`."""
        return self._seal(record.text or encode(record.data), _facts(record, now, record.expires))

    def reseal(self, loaded: Record, text: str, now: int, expires: int) -> str:
        """Return the token of `loaded` with the data whose JSON is `text`. Raises `SessionTooLarge`."""
        if loaded.state is None or expires < now + NODES_WEEK:
            return self._seal(text, _facts(loaded, now, expires))
        return self._seal(text, f'{loaded.state},"iat":{now}}}')

    def _seal(self, text: str, facts: str) -> str:
        payload = f"{text[:-1]}{facts if text != '{}' else facts[1:]}"
        try:
            raw = payload.encode()
        except UnicodeEncodeError:
            raw = _utf8(payload)
        token = jwe.seal(raw, self._keyring.opening[0], self._enc, self._random(12))
        if len(token) > self._room:
            raise _too_large(text, MAX_COOKIE - self._room + len(token))
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
        from arc.sessions.stores.store import Written  # Most writes take the short way.

        return Written(self.create(record, now))

    update = replace

    def renew(self, loaded: Record, record: Record, now: int) -> Written:  # noqa: ARG002
        """Return the token of the record. Raises `SessionTooLarge`."""
        from arc.sessions.stores.store import Written  # Most writes take the short way.

        return Written(self.create(record, now))

    def destroy(self, loaded: Record, now: int) -> None:
        """Do nothing: a sealed session ends with its cookie, and a copy of the cookie is valid until it expires."""


def _keep_text(record: Record, text: str, issued: int) -> None:
    """Set the text of the record's data in the payload `text`, which ends with the facts if this store wrote it."""
    facts = _facts(record, issued, record.expires)
    if text.endswith(facts):
        record.text = f"{text[: -len(facts)]}}}"
    elif text == f"{{{facts[1:]}":
        record.text = "{}"
    else:
        record.source = text


def _facts(record: Record, issued: int, expires: int | None) -> str:
    """Return the end of the payload, which follows the data: the session's facts and the times of the token."""
    text = f',"_arc_id":{quoted(record.id)},"_arc_created":{record.created}'
    if record.user_id is not None or record.flashes or record.lifetime is not None:
        text += _other_facts(record)
    if expires is None or expires >= issued + NODES_WEEK:
        return f'{text},"iat":{issued}}}'
    return f'{text},"iat":{issued},"exp":{expires}}}'


def _other_facts(record: Record) -> str:
    """Return the members for what few sessions have."""
    text = ""
    if record.user_id is not None:
        text += f',"_arc_user":{quoted(record.user_id)}'
    if record.signed_in_at is not None:
        text += f',"_arc_signed_in":{record.signed_in_at}'
    if record.lifetime is not None:
        text += f',"_arc_life":{encode(record.lifetime)}'
    if record.flashes:
        text += f',"_arc_flash":{encode(record.flashes)}'
    return text


def _take_facts(record: Record, data: dict[str, Any]) -> None:
    """Set the facts of `record` that few tokens have, and remove all facts from its `data`. Raises `Refused`."""
    if "exp" in data:
        record.expires = data["exp"]
        if record.expires is not None and type(record.expires) is not int:
            raise Refused("malformed")
    if "_arc_user" in data:
        if isinstance(data["_arc_user"], str) and not _is_valid(data["_arc_user"]):
            raise Refused("malformed")  # Without a principal, the next visitor to sign in would get its data.
        record.user_id, record.signed_in_at = _text(data["_arc_user"]), _seconds(data.get("_arc_signed_in"))
    if "_arc_flash" in data:
        record.flashes = _flashes(data["_arc_flash"])
    if "_arc_life" in data:
        record.lifetime = parse_lifetime(data["_arc_life"])
    record.data = drop_reserved(data)


def _too_large(text: str, size: int) -> SessionTooLarge:
    sizes = sorted(((len(_utf8(encode(element))), key) for key, element in decode(text).items()), reverse=True)
    largest = ", ".join(f"{key!r} ({length:,} byte{'' if length == 1 else 's'})" for length, key in sizes[:3])
    return SessionTooLarge(
        f"The session's cookie has {size:,} bytes, and browsers accept {MAX_COOKIE:,}. "
        f"Largest: {largest or 'the flash messages'}. Store less, or set SESSION_TABLE_NAME to a table."
    )


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # Another writer stored half a surrogate pair.
        return encode_ascii(decode(text)).encode()


def _unusual_time(issued: object, now: int) -> int:
    """Return when a token was issued whose time is not in the past. Raises `Refused`."""
    if type(issued) is not int or issued <= 0:
        raise Refused("malformed")
    if issued > now + MAX_SKEW:
        raise Refused("clock")
    return now


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
