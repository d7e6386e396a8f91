"""Session rows and their cookies in Node's library and this one, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arc.sessions.cookie import values
from tests.interop.both import on_both

if TYPE_CHECKING:
    from tests.engines import Engine
    from tests.interop.both import Both

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


def test_session_of_node_continues_here(both: Both) -> None:
    """It opens with all its data, is changed, and Node reads the change."""
    value = both.node_rewrites("", **ODD, visits=1, items=["a"])
    session = both.ours(value)
    assert session == {**ODD, "visits": 1, "items": ["a"]}
    session["nested"]["a"].append("ours")
    session["items"].append("b")
    session.increment("visits")
    assert both.commit(session) == value
    data = both.nodes(value)
    assert (data["nested"]["a"][-1], data["items"], data["visits"]) == ("ours", ["a", "b"], 2)
    assert {key: data[key] for key in ODD if key != "nested"} == {key: ODD[key] for key in ODD if key != "nested"}
    again = both.ours(value)
    again.increment("visits")
    both.commit(again)
    assert both.nodes(value)["visits"] == 3


def test_session_continues_in_node(both: Both) -> None:
    """Node's rewrite keeps principal, creation time and messages, and adds no visible keys."""
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


def test_parallel_rewrite_by_node_is_merged(both: Both) -> None:
    """A request that loaded before Node's rewrite adds to it, and merges a list that Node edited."""
    value = both.node_rewrites("", items=["a", "b"], log=["begun"], visits=1)
    session = both.ours(value)
    session["items"].remove("a")
    session["log"].append("ours")
    session.increment("visits")
    later = both.manager.clock() + 5
    changes = {"items": ["a", "b", "node's"], "log": ["begun", "node's"], "visits": 10, "theirs": True}
    both.node.ask("rewrite", both.environ, now=later, headers={"cookie": f"_idx={value}"}, changes=changes)
    both.commit(session)
    data = both.nodes(value)
    assert {key: data[key] for key in changes} == {
        "items": ["b", "node's"],
        "log": ["begun", "node's", "ours"],
        "visits": 11,
        "theirs": True,
    }


def test_signatures_with_slash_and_plus_open_in_both(both: Both) -> None:
    """Quoted ones open only here."""
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


def test_ended_session_is_empty_in_node(both: Both) -> None:
    """After a sign-out here Node finds no data under the old cookie."""
    session = both.manager.load([])
    session["private"] = True
    value = both.commit(session)
    session = both.ours(value)
    session.sign_out()
    both.manager.commit(session)
    fresh = both.nodes(value)
    assert set(fresh) == {"_idx", "_secret", "_ttl"}
    assert fresh["_idx"] != value.partition(".")[0]


def test_tombstone_of_a_sign_in_is_empty_in_node(ministack: Engine, library: str) -> None:
    """Node finds no data and no principal under the id from before the sign-in."""
    with on_both(ministack, library) as both:
        session = both.manager.load([])
        session["private"] = True
        value = both.commit(session)
        session = both.ours(value)
        session.sign_in("ada")
        new = both.commit(session)
        assert set(both.row(value)) == {"_idx", "_ttl", "_arc_next", "_arc_replaced"}
        fresh = both.nodes(value)
        assert set(fresh) == {"_idx", "_secret", "_ttl"}
        assert fresh["_idx"] not in (value.partition(".")[0], new.partition(".")[0])
        assert both.nodes(new)["private"] is True
        assert both.nodes(new)["_arc_user"] == "ada"
