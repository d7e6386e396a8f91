"""Session rows and their cookies between Node's own library and this one, on both engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arc.http import build_manager
from arc.sessions.cookie import values
from tests.interop.peer import Peer, peer
from tests.sandbox_services import sandbox_services
from tests.sessions.making import SECRET, value_of
from tests.sessions.stores.tables import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.sessions.session import Session
    from tests.engines import Engine

ODD: dict[str, Any] = {
    "text": "é 会话 🔑",
    "empty": "",
    "none": None,
    "yes": True,
    "list": [],
    "dict": {},
    "half": 0.5,
    "large": 2**53 - 1,
    "nested": {"a": [1, {"b": [None, False, "x"]}]},
}


class Both:
    """One session table that Node's library and ours both use."""

    def __init__(self, kept: Kept, node: Peer) -> None:
        self.kept, self.node = kept, node
        self.manager = build_manager(kept.settings, store=kept.store)

    def ours(self, value: str) -> Session:
        """Our session of a cookie value."""
        return self.manager.load([value])

    def commit(self, session: Session) -> str:
        """The cookie value that we give."""
        return value_of(self.manager.commit(session)[0])

    def nodes(self, value: str) -> dict[str, Any]:
        """Node's session of a cookie value."""
        session: dict[str, Any] = self.node.ask("read", headers={"cookie": f"_idx={value}"})
        return session

    def node_rewrites(self, value: str, **changes: Any) -> str:
        """The cookie value that Node gives after it wrote the whole session with `changes`."""
        return value_of(self.node.ask("rewrite", headers={"cookie": f"_idx={value}"}, changes=changes))


@pytest.fixture
def both(engine: Engine, library: str) -> Iterator[Both]:
    """A table, Node's library on it in a process of its own, and ours."""
    kept = Kept(engine)
    with sandbox_services({"/TestappTesting/tables/session": kept.table}) as services:
        environ = {
            "ARC_ENV": "testing",
            "ARC_APP_SECRET": SECRET,
            "ARC_SESSION_TABLE_NAME": "session",
            "ARC_SANDBOX": json.dumps({"ports": {"_arc": services.port, "tables": engine.port}, "version": "x"}),
        }
        with peer(library, environ) as node:
            yield Both(kept, node)


def test_node_begins_and_we_continue(both: Both) -> None:
    """A session that Node made opens here with all its data, is changed, and Node reads what we wrote."""
    value = both.node_rewrites("", **ODD, visits=1, items=["a"])
    session = both.ours(value)
    assert session == {**ODD, "visits": 1, "items": ["a"]}
    session["nested"]["a"].append("ours")
    session["items"].append("b")
    session.increment("visits")
    assert both.commit(session) == value
    seen = both.nodes(value)
    assert (seen["nested"]["a"][-1], seen["items"], seen["visits"]) == ("ours", ["a", "b"], 2)
    assert {key: seen[key] for key in ODD if key != "nested"} == {key: ODD[key] for key in ODD if key != "nested"}
    again = both.ours(value)
    again.increment("visits")
    both.commit(again)
    assert both.nodes(value)["visits"] == 3


def test_we_begin_and_node_continues(both: Both) -> None:
    """What Node writes back keeps principal, creation time and messages, and shows us none of its own keys."""
    session = both.manager.load([])
    session.update(ODD)
    session.sign_in("ada")
    session.flash("info", "Welcome")
    value = both.commit(session)
    assert {key: both.nodes(value)[key] for key in ODD} == ODD
    assert both.node_rewrites(value, theirs=[1]) == value
    again = both.ours(value)
    assert again == {**ODD, "theirs": [1]}
    assert (again.user_id, again.created_at) == ("ada", session.created_at)
    assert again.flashes("info") == ["Welcome"]
    again["theirs"].append(2)
    both.commit(again)
    assert both.nodes(value)["theirs"] == [1, 2]
    assert both.ours(value).flashes("info") == []


def test_signatures_with_a_slash_and_a_plus_open_on_both_sides(both: Both) -> None:
    """Sessions of either side open on the other, whatever letters their signatures have; quoted ones here."""
    letters = ""
    for number in range(200):
        if number % 2:
            session = both.manager.load([])
            session["number"] = number
            value = both.commit(session)
            assert both.nodes(value.replace("+", "%2B").replace("/", "%2F"))["number"] == number
        else:
            value = both.node_rewrites("", number=number)
        assert both.ours(value) == {"number": number}
        assert both.manager.load(values([f'_idx="{value}"'], "_idx")) == {"number": number}
        letters += value.partition(".")[2]
        if "/" in letters and "+" in letters and number > 2:
            return
    raise AssertionError("No signature had both.")


def test_an_ended_session_is_a_new_one_for_node(both: Both) -> None:
    """After our sign-out Node finds nothing under the old cookie."""
    session = both.manager.load([])
    session["private"] = True
    value = both.commit(session)
    session = both.ours(value)
    session.sign_out()
    both.manager.commit(session)
    assert "private" not in both.nodes(value)


def test_the_tombstone_of_a_sign_in_is_nothing_to_node(ministack: Engine, library: str) -> None:
    """Under the id from before the sign-in Node sees no data and no principal."""
    kept = Kept(ministack)
    with sandbox_services({"/TestappTesting/tables/session": kept.table}) as services:
        environ = {
            "ARC_ENV": "testing",
            "ARC_APP_SECRET": SECRET,
            "ARC_SESSION_TABLE_NAME": "session",
            "ARC_SANDBOX": json.dumps({"ports": {"_arc": services.port, "tables": ministack.port}, "version": "x"}),
        }
        with peer(library, environ) as node:
            both = Both(kept, node)
            session = both.manager.load([])
            session["private"] = True
            value = both.commit(session)
            session = both.ours(value)
            session.sign_in("ada")
            new = both.commit(session)
            assert set(both.nodes(value)) == {"_idx", "_secret", "_ttl"}
            assert both.nodes(new)["private"] is True
