"""A session's row in DynamoDB."""

from __future__ import annotations

from arc.sessions.delta import MISSING
from arc.sessions.record import FLASHES, NODES_WEEK, Record, Refused, parse_lifetime
from arc.sessions.stores.dynamodb.attributes import decode, decode_map, encode
from arc.sessions.values import deep_copy, is_reserved, refuse_deep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from arc.sessions.delta import Path
    from arc.sessions.stores.dynamodb.attributes import Attribute

_REVISIONS = 10**6


class Row:
    """The row of a session as it was read. `item` is all of it.

    - `values` is the data, with the messages under their reserved key, as a delta changes it.
    - `revision` is None in a row that Node created.
    - `done` maps the tokens of recent commits to their time in Unix seconds and the revision that they changed. It is
      None in a row without tokens.
    - `origin_ends` is when an older token expires that could restore the session.
    """

    def __init__(self, item: dict[str, Attribute], now: int) -> None:
        """Raises `Refused` for an ended session and for a malformed row."""
        if "_secret" not in item and "_arc_next" not in item:
            raise Refused("ended" if "_arc_ended" in item else "unknown-id")
        try:
            if "_arc_next" in item:
                at = _whole(item["_arc_replaced"])
                raise Refused("ended", Record(_text(item["_idx"]), {}, created=at, issued=at))
            self._read(item)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError):
            raise Refused("malformed") from None
        if self.ends <= now:
            raise Refused("expired")

    def _read(self, item: dict[str, Attribute]) -> None:
        self.item = item
        self.id, self.secret = _text(item["_idx"]), _text(item["_secret"])
        self.ends = _whole(item["_ttl"])
        self.revision = _whole(item["_arc_rev"]) if "_arc_rev" in item else None
        ops = item["_arc_ops"]["M"].items() if "_arc_ops" in item else None
        self.done = None if ops is None else {token: divmod(_whole(made), _REVISIONS) for token, made in ops}
        self.created = _whole(item["_arc_created"]) if "_arc_created" in item else None
        self.origin_ends = _whole(item["_arc_origin"]) if "_arc_origin" in item else None
        self.lifetime = parse_lifetime(decode(item["_arc_life"])) if "_arc_life" in item else None
        self.user_id = _text(item["_arc_user"]) if "_arc_user" in item else None
        self.signed_in_at = _whole(item["_arc_signed_in"]) if "_arc_signed_in" in item else None
        self.values = decode_map({key: item[key] for key in item if not is_reserved(key) or key == FLASHES})
        refuse_deep(self.values)
        for kind, message in self.values.get(FLASHES, ()):
            _strings(kind, message)

    def hides(self, path: Path) -> bool:
        """True when an unsupported attribute is at `path`: a set, binary data, or a list with either."""
        attribute: Attribute = {"M": self.item}
        for key in path:
            attribute = attribute.get("M", {}).get(key)
            if attribute is None:
                return False
        return decode(attribute) is MISSING

    def was_overtaken(self, token: str, base: Row) -> bool:
        """True when another request committed between the read of `base` and the commit of `token`."""
        return (self.done or {})[token][1] != (base.revision or 0) % _REVISIONS

    def record(self, now: int, *, stale: bool) -> Record:
        """Return the record for the session manager. A row without a creation time began when Node wrote it."""
        record = Record(
            self.id,
            {key: value for key, value in self.values.items() if key != FLASHES},
            created=min(now, self.ends - NODES_WEEK) if self.created is None else self.created,
            expires=self.ends,
            user_id=self.user_id,
            signed_in_at=self.signed_in_at,
            flashes=tuple((kind, message) for kind, message in self.values.get(FLASHES, ())),
            lifetime=self.lifetime,
        )
        record.stale, record.state, record.origin_ends = stale, self, self.origin_ends
        return record


def item_of(record: Record, secret: str, *, over: dict[str, Attribute] | None = None) -> dict[str, Attribute]:
    """Return the row of a new session. `over` has attributes to use instead of the record's data."""
    if over is None:
        item = {key: encode(value) for key, value in record.data.items()}
        if record.flashes:
            item[FLASHES] = encode([list(pair) for pair in record.flashes])
    else:
        item = deep_copy(over)
        for name in ("_arc_user", "_arc_signed_in", "_arc_origin", "_arc_life"):
            item.pop(name, None)
    facts: dict[str, Any] = {
        "_idx": record.id,
        "_secret": secret,
        "_ttl": record.expires,
        "_arc_created": record.created,
        "_arc_rev": 1,
        "_arc_ops": {},
    }
    if record.user_id is not None:
        facts["_arc_user"] = record.user_id
    if record.signed_in_at is not None:
        facts["_arc_signed_in"] = record.signed_in_at
    if record.lifetime is not None:
        facts["_arc_life"] = record.lifetime
    if record.origin_ends is not None:
        facts["_arc_origin"] = record.origin_ends
    return item | {name: encode(value) for name, value in facts.items()}


def tombstone(session_id: str, ends: int, facts: dict[str, Any]) -> dict[str, Attribute]:
    """Return the row that replaces an ended session: it cannot be read or written, and its id cannot be used again.

    `facts` are either `{"_arc_ended": True}`, or the ids of the sessions that replaced it (`_arc_next`) and when that
    happened (`_arc_replaced`), so that a sign-out can end them.
    """
    return {name: encode(value) for name, value in {"_idx": session_id, "_ttl": ends, **facts}.items()}


def successors_of(item: dict[str, Attribute] | None) -> list[str]:
    """Return the ids of the sessions in a tombstone that replaced it, [] for any other row."""
    return [one["S"] for one in item["_arc_next"]["L"]] if item and "_arc_next" in item else []


def commit_stamp(now: int, revision: int | None = 0) -> int:
    """Return seconds and revision as one number, which is stored with a commit's token. Node's floats keep it exact."""
    return now * _REVISIONS + (revision or 0)


def _text(attribute: Attribute) -> str:
    value = attribute["S"]
    if not isinstance(value, str) or not value:
        raise ValueError("an empty string")
    return value


def _whole(attribute: Attribute) -> int:
    value = decode({"N": attribute["N"]})
    if not isinstance(value, int):
        raise TypeError("a fraction")
    return value


def _strings(*values: object) -> None:
    if not all(isinstance(value, str) for value in values):
        raise TypeError("no messages")
