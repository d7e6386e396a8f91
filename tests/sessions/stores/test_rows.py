"""Rows of a session table: their data under a new id, reused ids, and their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import SessionTooLarge
from arc.sessions.record import Lifetimes
from arc.sessions.stores.dynamodb.attributes import encode, size
from arc.sessions.stores.dynamodb.row import commit_stamp
from arc.sessions.stores.dynamodb.transport import Refusal
from tests.sessions.making import WEEK
from tests.sessions.stores.test_ended_sessions import Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.session import Session
    from tests.engines import Engine

HIDDEN: dict[str, Any] = {"tags": {"SS": ["x", "y"]}, "photo": {"B": b"\x00\x01"}, "sizes": {"NS": ["1"]}}


def put(site: Site, **attributes: Any) -> None:
    """Overwrite attributes of the only row, as another program would."""
    site.kept.engine.look("dynamodb").put_item(TableName=site.kept.table, Item={**site.kept.rows[0], **attributes})


# -- data under a new id


@pytest.mark.parametrize(("then", "kept"), [("ada", True), ("grace", False)], ids=["the same", "another"])
def test_s16_unsupported_attributes_move_only_with_their_principal(ministack: Engine, then: str, kept: bool) -> None:
    """Sets and binary data of other programs are not moved to another principal's id."""
    site = Site(ministack)
    value = site.visitor(user="ada")
    put(site, **HIDDEN)
    (before,) = site.living
    assert before.keys() >= HIDDEN.keys()
    session = site.load(value)
    session.sign_in(then)
    assert site.load(site.finish(session)).user_id == then
    (row,) = site.living
    assert [name in row for name in HIDDEN] == [kept] * len(HIDDEN)


# -- the contents of a row


def test_a_row_has_no_empty_facts(ministack: Engine) -> None:
    """Messages and a principal are stored only if they exist, before and after a sign-in."""
    site = Site(ministack)
    session = site.load(site.visitor(count=1))
    facts = {"_idx", "_secret", "_ttl", "_arc_created", "_arc_rev", "_arc_ops"}
    assert site.kept.rows[0].keys() == {"here", "count", *facts}
    session.flash("info", "Welcome")
    session.sign_in("ada")
    site.finish(session)
    (row,) = site.living
    assert row.keys() == {"here", "count", *facts, "_arc_user", "_arc_signed_in", "_arc_flash"}


# -- rows of Node


@pytest.mark.parametrize("write", [True, False], ids=["a change", "a renewal"])
def test_s18_a_row_of_node_keeps_its_estimated_creation_time(engine: Engine, write: bool) -> None:
    """The first write stores a creation time, which limits the absolute lifetime."""
    site = Site(engine)
    site.manager.lifetimes = Lifetimes(WEEK, 2 * WEEK)
    value = site.visitor()
    (row,) = site.kept.rows
    of_node = {name: row[name] for name in ("_idx", "_secret", "_ttl", "here")}
    site.kept.engine.look("dynamodb").put_item(TableName=site.kept.table, Item=of_node)
    began = site.load(value).created_at
    for _ in range(2):
        site.clock.forward(days=5)
        session = site.load(value)
        assert session.created_at == began
        if write:
            session.increment("count")
        assert site.finish(session) == value
    site.clock.forward(4 * 86_400 - 1)
    assert not site.load(value).is_new
    site.clock.forward(1)
    assert site.load(value).is_new


# -- unsupported attributes

STRANGE: dict[str, Any] = {
    "a set of text": {"SS": ["x", "y"]},
    "a set of numbers": {"NS": ["1", "2"]},
    "binary data": {"B": b"\x00\x01"},
    "a list with a set": {"L": [{"S": "x"}, {"SS": ["y"]}]},
}


def sign_in_and_count(session: Session) -> None:
    """Change the id, and a number under a new key."""
    session.sign_in("ada")
    session.increment("tags")


def change_much_and_count(session: Session) -> None:
    """Change more than one update can, and a number under a new key."""
    session.update({f"k{number}": number for number in range(400)})
    session.increment("tags")


ASSIGNMENTS: dict[str, tuple[Callable[[Session], object], object]] = {
    "text": (lambda session: session.update(tags="new"), "new"),
    "list": (lambda session: session.update(tags=["new"]), ["new"]),
    "map": (lambda session: session.update(tags={"a": 1}), {"a": 1}),
    "appended": (lambda session: session.setdefault("tags", []).append("new"), ["new"]),
    "filled": (lambda session: session.setdefault("tags", {}).update(a=1), {"a": 1}),
    "increment": (lambda session: session.increment("tags"), 1),
    "replaced": (lambda session: session.replace({"tags": ["new"]}), ["new"]),
    "signed in": (sign_in_and_count, 1),
    "many": (lambda session: session.update({f"k{n}": n for n in range(400)}, tags=["new"]), ["new"]),
    "many and one": (change_much_and_count, 1),
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize(("work", "stored"), ASSIGNMENTS.values(), ids=ASSIGNMENTS)
@pytest.mark.sampled(20)
def test_unsupported_attributes_are_replaced_by_assignments(
    ministack: Engine, strange: Any, work: Callable[[Session], object], stored: object
) -> None:
    """The app can assign a key that is missing for it although another program has stored a set there."""
    site = Site(ministack)
    value = site.visitor(count=1)
    put(site, tags=strange)
    session = site.load(value)
    assert "tags" not in session
    work(session)
    assert site.load(site.finish(session))["tags"] == stored


def test_unsupported_attributes_are_replaced_within_a_map(engine: Engine) -> None:
    """This also works below a key that is changed in place, and another set beside it stays."""
    site = Site(engine)
    value = site.visitor(cart={"count": 1})
    put(site, cart={"M": {"count": {"N": "1"}, "tags": {"SS": ["x"]}, "sizes": {"NS": ["1"]}}})
    session = site.load(value)
    session["cart"]["tags"] = ["new"]
    assert site.load(site.finish(session))["cart"] == {"count": 1, "tags": ["new"]}
    assert site.kept.rows[0]["cart"]["M"]["sizes"] == {"NS": ["1"]}


def test_messages_replace_an_unsupported_attribute(ministack: Engine) -> None:
    """A message can be stored although another program has stored a set there."""
    site = Site(ministack)
    value = site.visitor(count=1)
    put(site, _arc_flash={"SS": ["x"]})
    session = site.load(value)
    session.flash("info", "hello")
    assert site.load(site.finish(session)).flashes("info") == ["hello"]


def test_s36_parallel_additions_at_an_unsupported_attribute_are_all_stored(ministack: Engine) -> None:
    """The first request replaces the set, and the others append."""
    site = Site(ministack)
    value = site.visitor(count=1)
    put(site, tags={"SS": ["x"]}, visits={"SS": ["x"]})
    sessions = [site.load(value) for _ in range(4)]
    for number, session in enumerate(sessions):
        session.setdefault("tags", []).append(number)
        session.increment("visits")
    for session in sessions:
        site.finish(session)
    assert site.load(value) == {"here": True, "count": 1, "tags": [0, 1, 2, 3], "visits": 4}


@pytest.mark.parametrize("work", [ASSIGNMENTS[way][0] for way in ("list", "appended", "increment", "signed in")])
def test_an_unsupported_attribute_stored_after_the_load_is_replaced(
    ministack: Engine, work: Callable[[Session], object]
) -> None:
    """When another program stores a set during a request, the request's value replaces it."""
    site = Site(ministack)
    session = site.load(site.visitor(count=1))
    put(site, tags={"SS": ["x", "y", "z"]})
    work(session)
    assert site.load(site.finish(session))["tags"] in (["new"], 1)


# -- another session under the same id


WAYS: dict[str, Callable[[Session], object]] = {
    "set": lambda session: session.update(late=True),
    "append": lambda session: session["items"].append("late"),
    "edit": lambda session: session["items"].reverse(),
    "regenerate": lambda session: session.regenerate(),
    "renewal": len,
}


@pytest.mark.parametrize("work", WAYS.values(), ids=WAYS)
def test_s37_a_row_with_another_secret_is_another_session(ministack: Engine, work: Callable[[Session], object]) -> None:
    """A row whose secret has changed since the load is not written, moved or renewed."""
    site = Site(ministack)
    value = site.visitor(items=["a", "b"])
    site.clock.forward(days=2)
    session = site.load(value)
    put(site, _secret={"S": "of another row"})
    (before,) = site.kept.rows
    work(session)
    assert site.manager.commit(session) == ()
    assert site.last == "write_after_destroy"
    assert site.kept.rows == [before]


def test_s17_a_refused_insert_uses_another_id(engine: Engine) -> None:
    """It does so even if the row with the id has been deleted since."""
    site = Site(engine)
    session = site.manager.load([])
    session["count"] = 1
    taken = session.id
    put_row = {"_idx": {"S": taken}, "_secret": {"S": "of another row"}, "_ttl": {"N": "1"}}
    client = site.kept.engine.look("dynamodb")
    client.put_item(TableName=site.kept.table, Item=put_row)

    def expire(operation: str) -> None:
        if operation == "GetItem":
            client.delete_item(TableName=site.kept.table, Key={"_idx": {"S": taken}})

    site.kept.calls.before = expire
    value = site.finish(session)
    assert site.load(value) == {"count": 1}
    assert site.load(value).id != taken


def test_s36_losses_of_a_sign_in_parallel_to_a_sign_out_are_reported(ministack: Engine) -> None:
    """A change within a container that another request ended is lost, and an event reports it."""
    site = Site(ministack)
    value = site.visitor(cart={"items": []})
    slow, quick = site.load(value), site.load(value)
    quick.sign_out()
    site.finish(quick)
    slow["cart"]["note"] = "gift"
    slow.sign_in("ada")
    again = site.load(site.finish(slow))
    assert (dict(again), again.user_id) == ({}, "ada")
    assert [event.reason for event in site.events if event.name == "conflict"] == [
        "two requests changed session['cart'] at once"
    ]


# -- sizes


def documented(value: Any) -> int:
    """Return a value's size by AWS's rules: a number has a byte per two digits, and one more."""
    if isinstance(value, bool) or value is None:
        return 1
    if isinstance(value, int):
        return (len(str(abs(value)).strip("0")) + 1) // 2 + 1
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list):
        return 3 + sum(1 + documented(element) for element in value)
    return 3 + sum(len(key.encode()) + 1 + documented(element) for key, element in value.items())


ROWS: dict[str, dict[str, Any]] = {
    "text": {"name": "Zo\xeb" * 100},
    "numbers": {"many": [12_345_678] * 200},
    "long numbers": {f"n{number}": int("7" * 38) for number in range(50)},
    "lists": {"grid": [[True, None]] * 200},
    "empty lists": {"grid": [[]] * 200},
    "maps": {"lines": [{"\xe9": None}] * 200},
    "one map": {"cart": {f"k{number}": False for number in range(200)}},
}


@pytest.mark.parametrize("data", ROWS.values(), ids=ROWS)
def test_a_rows_size_is_counted_as_dynamodb_documents_it(data: dict[str, Any]) -> None:
    """Names, text, lists and maps are exact, and a number counts at most one byte more."""
    item = {key: encode(value) for key, value in data.items()}
    exact = sum(len(key.encode()) + documented(value) for key, value in data.items())
    numbers = 200 if "many" in data else 50 if "n0" in data else 0
    assert exact <= size(item) <= exact + numbers


@pytest.mark.parametrize("data", [{"numbers": [7] * 300}, {"grid": [[[]]] * 300}], ids=["numbers", "lists"])
def test_numbers_and_lists_count_towards_the_limit(ministack: Engine, data: dict[str, Any]) -> None:
    """A session at its limit is stored, and one more element is too large."""
    (key,) = data
    site = Site(ministack)
    site.visitor(**data)
    site = Site(ministack, max_bytes=size(site.kept.rows[0]))
    value = site.visitor(**data)
    session = site.load(value)
    session[key].append(session[key][0])
    with pytest.raises(SessionTooLarge, match=rf"Largest: '{key}'"):
        site.finish(session)
    assert site.load(value)[key] == data[key]


def test_a_row_full_of_unsupported_attributes_is_too_large_at_once(engine: Engine) -> None:
    """DynamoDB's error is reported, and is not mistaken for a conflict."""
    site = Site(engine)
    value = site.visitor()
    put(site, photo={"B": b"\x00" * 390_000})
    session = site.load(value)
    session["text"] = "x" * 30_000
    site.kept.calls.made.clear()
    with pytest.raises(SessionTooLarge, match="400 KB"):
        site.finish(session)
    assert site.kept.calls.names.count("UpdateItem") == 1
    assert site.load(value) == {"here": True}


def test_a_sign_in_after_a_conflict_uses_the_refusals_row(ministack: Engine) -> None:
    """The refused transaction returns the current row, so that the second attempt reads nothing."""
    site = Site(ministack)
    value = site.visitor()
    session, parallel = site.load(value), site.load(value)
    parallel["more"] = 1
    site.finish(parallel)
    session.sign_in("ada")
    site.kept.calls.made.clear()
    assert site.load(site.finish(session)) == {"here": True, "more": 1}
    assert site.kept.calls.names == ["TransactWriteItems", "TransactWriteItems", "GetItem"]


# -- tokens of commits


def with_tokens(site: Site, *ages: int) -> None:
    """Store commits' tokens of these ages, in seconds, in the only row."""
    now = int(site.clock())
    put(site, _arc_ops=encode({f"token{place}": commit_stamp(now - age) for place, age in enumerate(ages)}))


def tokens(site: Site) -> set[str]:
    """Return those tokens that are still in the only row."""
    return {token for token in site.kept.rows[0]["_arc_ops"]["M"] if token.startswith("token")}


def test_a_commit_removes_at_most_twenty_old_tokens(engine: Engine) -> None:
    """Thus it stays one short update with any number of tokens."""
    site = Site(engine)
    value = site.visitor()
    with_tokens(site, *[61] * 50)
    for left in (30, 10, 0):
        session = site.load(value)
        session.increment("count")
        site.finish(session)
        assert len(tokens(site)) == left


@pytest.mark.parametrize("keys", [1, 400], ids=["an update", "a whole row"])
def test_s37_a_token_is_kept_for_a_minute(engine: Engine, keys: int) -> None:
    """A commit may be retried for half a minute, and other writers do not remove its token."""
    site = Site(engine)
    value = site.visitor()
    with_tokens(site, 61, 60, 30, 0)
    session = site.load(value)
    session.update({f"key{number}": number for number in range(keys)})
    site.finish(session)
    assert tokens(site) == {"token1", "token2", "token3"}


def test_a_transaction_cancelled_without_a_failed_condition_is_retried(ministack: Engine) -> None:
    """It does not count as a refusal of the session."""
    site = Site(ministack)
    session = site.load(site.visitor())
    session.sign_in("ada")

    def cancel(operation: str) -> None:
        if operation == "TransactWriteItems":
            site.kept.calls.before = lambda _operation: None
            raise Refusal("TransactionCanceledException", "", None, [("None", None), ("TransactionConflict", None)])

    site.kept.calls.before = cancel
    assert site.load(site.finish(session)).user_id == "ada"
