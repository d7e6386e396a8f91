"""What becomes of random changes to sealed sessions, line by line, so that two interpreters can be compared.

`python -m tests.sessions.any_change SEED COUNT` prints the lines. Data and messages count, not the bytes of a token.
"""

from __future__ import annotations

import copy
import datetime as dt
import enum
import re
import sys
import uuid
from random import Random
from typing import TYPE_CHECKING, Any

from arc.errors import SessionTooLarge
from tests.sessions.making import Made, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class Color(enum.StrEnum):
    """A subclass of str."""

    RED = "red"


class Size(enum.Enum):
    """An enum that is no subclass of str."""

    LARGE = "large"


_SCALARS = (
    None, True, False, 0, 1, -1, 2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30, 1234567890123456789012,
    1.0, -0.0, 0.1, 1e16, 1e-7, 1e22, 5e-324, 1.7976931348623157e308, 123456789012345680.0, float("nan"), float("inf"),
    "", "a", "é🔑", '"\\/\b', "\x7f\u2028", "\ud83d", "1234567890123456789", "{[}]" * 9, "_arc_id", ',"_arc_id":',
    Color.RED, Size.LARGE, uuid.UUID(int=7), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), b"bytes", (1, "a"), {1},
    "long" * 500,
)  # fmt: skip
_KEYS = ("a", "b", "é", "", "iat", "_arc_x", "1", 1, None, Color.RED)


def any_value(random: Random, depth: int = 0) -> Any:
    """Return a value, which a session can store in most cases."""
    kind = random.random()
    if depth > 3 or kind < 0.6:
        return random.choice(_SCALARS)
    if kind < 0.61:
        deep: Any = []
        for _ in range(random.choice((28, 29, 30, 400))):
            deep = [deep]
        return deep
    if kind < 0.8:
        return [any_value(random, depth + 1) for _ in range(random.randrange(4))]
    keys = _KEYS if random.random() < 0.1 else ("a", "b", "é")
    return {random.choice(keys): any_value(random, depth + 1) for _ in range(random.randrange(4))}


def change(random: Random, session: Any) -> None:
    """Change a session at the top or within."""
    target, key = session, random.choice(("x", "y", "z"))
    while random.random() < 0.5 and isinstance(target.get(key), dict):
        target, key = target[key], random.choice(("a", "b", "é"))
    target[key] = any_value(random)


def lines(seed: int, count: int) -> Iterator[str]:
    """One line for each of `count` changes: what is stored at the end, or why it is not."""
    yield "with orjson" if "orjson" in sys.modules else "without"
    random = Random(seed)  # noqa: S311  # no secret
    made, value = Made(), ""
    for _ in range(count):
        session = made.manager.load([value] if value and random.random() < 0.9 else [])
        before = copy.deepcopy(dict(session))
        for _ in range(random.randrange(3)):
            try:
                change(random, session)
            except ValueError as error:
                yield f"{error}"
        try:
            cookies = made.manager.commit(session)
        except (TypeError, ValueError, SessionTooLarge) as error:
            yield re.sub(r"[0-9,]+ bytes", "… bytes", f"{type(error).__name__}: {error}")[:60]
            continue
        if made.manager.commit(session) != cookies:  # as after arc.http.session.write, when the handler returns
            yield "The second commit differs."
        value = value_of(cookies[0]) if cookies else value
        yield f"{before!a} -> {bool(cookies)} {dict(made.manager.load([value] if value else []))!a}"


if __name__ == "__main__":
    print(*lines(int(sys.argv[1]), int(sys.argv[2])), sep="\n")
