"""Rows of a session table: what follows to a new id, what a row under a reused id is, and how large a row is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import SessionTooLarge
from arc.sessions.lifetimes import Lifetimes
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


# -- what follows to a new id


@pytest.mark.parametrize(("then", "kept"), [("ada", True), ("grace", False)], ids=["the same", "another"])
def test_s16_attributes_that_cannot_be_shown_follow_their_principal_alone(
    ministack: Engine, then: str, kept: bool
) -> None:
    """Sets and binary data that others put into a row are not handed to another principal with the new id."""
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


# -- what a row holds


def test_a_row_holds_data_and_facts_and_no_empty_ones(ministack: Engine) -> None:
    """Messages and a principal take room in a row, before and after a sign-in, only where there are some."""
    site = Site(ministack)
    session = site.load(site.visitor(count=1))
    facts = {"_idx", "_secret", "_ttl", "_arc_created", "_arc_rev", "_arc_ops"}
    assert site.kept.rows[0].keys() == {"here", "count", *facts}
    session.flash("info", "Welcome")
    session.sign_in("ada")
    site.finish(session)
    (row,) = site.living
    assert row.keys() == {"here", "count", *facts, "_arc_user", "_arc_signed_in", "_arc_flash"}


# -- rows that Node made


@pytest.mark.parametrize("write", [True, False], ids=["a change", "a renewal"])
def test_s18_a_row_that_node_made_keeps_the_beginning_it_is_given(engine: Engine, write: bool) -> None:
    """A row without a creation stamp gets one at the first write, and its absolute lifetime ends by that."""
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


# -- what cannot be shown, under a key that the app assigns

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
    """Change more than one update holds, and a number under a new key."""
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
def test_what_cannot_be_shown_is_replaced_where_the_app_assigns(
    ministack: Engine, strange: Any, work: Callable[[Session], object], stored: object
) -> None:
    """A set or binary data of another program is no obstacle under a key that the app did not find and assigns."""
    site = Site(ministack)
    value = site.visitor(count=1)
    put(site, tags=strange)
    session = site.load(value)
    assert "tags" not in session
    work(session)
    assert site.load(site.finish(session))["tags"] == stored


def test_what_cannot_be_shown_is_replaced_inside_a_map(engine: Engine) -> None:
    """The same below a key that the app changes in place, and the set beside it stays."""
    site = Site(engine)
    value = site.visitor(cart={"count": 1})
    put(site, cart={"M": {"count": {"N": "1"}, "tags": {"SS": ["x"]}, "sizes": {"NS": ["1"]}}})
    session = site.load(value)
    session["cart"]["tags"] = ["new"]
    assert site.load(site.finish(session))["cart"] == {"count": 1, "tags": ["new"]}
    assert site.kept.rows[0]["cart"]["M"]["sizes"] == {"NS": ["1"]}


def test_messages_replace_what_cannot_be_shown(ministack: Engine) -> None:
    """A message can be left where another program put a set in its place."""
    site = Site(ministack)
    value = site.visitor(count=1)
    put(site, _arc_flash={"SS": ["x"]})
    session = site.load(value)
    session.flash("info", "hello")
    assert site.load(site.finish(session)).flashes("info") == ["hello"]


def test_s36_additions_in_place_of_what_cannot_be_shown_all_stay(ministack: Engine) -> None:
    """Of several requests that found a set and append, the first replaces it and the others append."""
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
def test_what_came_after_the_load_and_cannot_be_shown_is_replaced(
    ministack: Engine, work: Callable[[Session], object]
) -> None:
    """Where another program puts a set into the row during a request, that request's own value replaces it."""
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
def test_s37_a_session_made_anew_under_the_same_id_is_another_one(
    ministack: Engine, work: Callable[[Session], object]
) -> None:
    """A row whose own secret has changed since the load is not written, moved or renewed."""
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


def test_s17_an_id_that_was_free_again_a_moment_later_is_not_taken(engine: Engine) -> None:
    """An insert that was refused leaves its id alone, even when the row that stood there has gone."""
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


def test_s36_what_a_sign_in_loses_beside_a_sign_out_is_named(ministack: Engine) -> None:
    """A change within what another request ended has no place in the new session, and an event says so."""
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
    """The bytes of a value by AWS's rules for item sizes: a number takes one for two digits, and one more."""
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
    """Names, text, lists and maps count to the byte; a number counts for no less, and for no more than a byte over."""
    item = {key: encode(value) for key, value in data.items()}
    exact = sum(len(key.encode()) + documented(value) for key, value in data.items())
    numbers = 200 if "many" in data else 50 if "n0" in data else 0
    assert exact <= size(item) <= exact + numbers


@pytest.mark.parametrize("data", [{"numbers": [7] * 300}, {"grid": [[[]]] * 300}], ids=["numbers", "lists"])
def test_numbers_and_lists_count_towards_the_limit(ministack: Engine, data: dict[str, Any]) -> None:
    """A session at its limit is stored, and one element more is too large."""
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


def test_a_row_that_others_filled_is_too_large_at_the_first_attempt(engine: Engine) -> None:
    """Where hidden data leaves no room, DynamoDB's refusal is told as it is, and not taken for another writer."""
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


def test_a_sign_in_beside_another_change_reads_nothing_again(ministack: Engine) -> None:
    """The refused transaction tells the row as it is now, and the second attempt is made on that."""
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
    """Put tokens of commits into the only row, each so many seconds old."""
    now = int(site.clock())
    put(site, _arc_ops=encode({f"token{place}": commit_stamp(now - age) for place, age in enumerate(ages)}))


def tokens(site: Site) -> set[str]:
    """The tokens that were put into the only row and are still there."""
    return {token for token in site.kept.rows[0]["_arc_ops"]["M"] if token.startswith("token")}


def test_a_commit_forgets_some_tokens_of_old_commits(engine: Engine) -> None:
    """Twenty tokens go with each commit, whatever their number, so that it stays one short update."""
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
    """A commit may be tried again for half a minute, and so long its token is there, whoever writes in between."""
    site = Site(engine)
    value = site.visitor()
    with_tokens(site, 61, 60, 30, 0)
    session = site.load(value)
    session.update({f"key{number}": number for number in range(keys)})
    site.finish(session)
    assert tokens(site) == {"token1", "token2", "token3"}


def test_a_transaction_that_met_another_one_is_tried_again(ministack: Engine) -> None:
    """A transaction cancelled for no condition of its own is no refusal of the session."""
    site = Site(ministack)
    session = site.load(site.visitor())
    session.sign_in("ada")

    def cancel(operation: str) -> None:
        if operation == "TransactWriteItems":
            site.kept.calls.before = lambda _operation: None
            raise Refusal("TransactionCanceledException", "", None, [("None", None), ("TransactionConflict", None)])

    site.kept.calls.before = cancel
    assert site.load(site.finish(session)).user_id == "ada"
