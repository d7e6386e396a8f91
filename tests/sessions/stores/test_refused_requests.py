"""What the store makes of each refusal of its table, also of those that no engine gives on demand."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from arc.errors import SessionTooLarge, StoreError
from arc.sessions.delta import Change, Delta
from arc.sessions.stores.dynamodb.attributes import encode
from arc.sessions.stores.dynamodb.row import commit_stamp, tombstone
from arc.sessions.stores.dynamodb.transport import Refusal
from arc.sessions.stores.store import IdTaken, Written
from tests.sessions.stores.scripts import NEW, NOW, OLD, Script, loaded, record, row, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from arc.sessions.stores.dynamodb.store import DynamoStore

INVALID = Refusal("ValidationException", "Something is wrong")
TOO_LARGE = Refusal("ValidationException", "Item size has exceeded the maximum allowed size")
DELTA = Delta([Change("set", ("count",), 2, 1)], {"count": 2})


def unmet(item: dict[str, Any] | None = None) -> Refusal:
    """The refusal of a condition that `item` did not meet."""
    return Refusal("ConditionalCheckFailedException", "The conditional request failed", item)


def met(old: dict[str, Any] | None) -> Refusal:
    """The cancellation of a transaction that met `old` in place of the row that it replaces."""
    reasons = [("None", None), ("ConditionalCheckFailed", old)]
    return Refusal("TransactionCanceledException", "cancelled", None, reasons)


def sign_in(store: DynamoStore) -> object:
    """A request that changes a loaded session and its id."""
    return store.replace(loaded(store), record(NEW, count=2), DELTA, NOW, signing_in=True)


STEPS: dict[str, Callable[[DynamoStore], object]] = {
    "create": lambda store: store.create(record(), NOW),
    "load": loaded,
    "update": lambda store: store.update(loaded(store), record(count=2), DELTA, NOW),
    "renew": lambda store: store.renew(loaded(store), record(count=1), NOW),
    "replace": sign_in,
    "destroy": lambda store: store.destroy(loaded(store), NOW),
}


@pytest.mark.parametrize(("refusal", "raised"), [(INVALID, StoreError), (TOO_LARGE, SessionTooLarge)], ids=str)
@pytest.mark.parametrize("name", STEPS)
def test_what_is_refused_for_good_is_reported(name: str, refusal: Refusal, raised: type[Exception]) -> None:
    """After a change alone the row is read again, since another writer may be to blame: it is as it was."""
    before = [] if name in ("create", "load") else [{"Item": row(count=1)}]
    after = [{"Item": row(count=1)}] if name in ("update", "renew") else []
    script = Script(*before, refusal, *after)
    with pytest.raises(raised, match="Something is wrong" if raised is StoreError else "400 KB"):
        STEPS[name](script.store())
    assert len(script.asked) == len(before) + 1 + len(after)
    assert script.pauses == []


@pytest.mark.parametrize("name", ["update", "renew"])
def test_a_refusal_that_is_no_condition_is_reported_at_once(name: str) -> None:
    """Nothing is read again for it."""
    script = Script({"Item": row(count=1)}, Refusal("AccessDenied", "no way"))
    with pytest.raises(StoreError, match="no way"):
        STEPS[name](script.store())
    assert len(script.asked) == 2


@pytest.mark.parametrize("name", ["update", "renew"])
@pytest.mark.parametrize(
    "now", [None, row(secret="another"), {**row(), "_ttl": encode(NOW)}], ids=["gone", "new", "old"]
)
@pytest.mark.parametrize("is_told", [True, False], ids=["told", "read"])
def test_a_session_that_has_gone_is_not_written(name: str, now: dict[str, Any] | None, is_told: bool) -> None:
    """Neither where the refusal has its row as it is now, nor where that is read."""
    if is_told and now is None:
        is_told = False
    script = Script({"Item": row(count=1)}, unmet(now if is_told else None), {"Item": now} if now else {})
    assert STEPS[name](script.store()) is None
    assert script.names == ["GetItem", "UpdateItem", *([] if is_told else ["GetItem"])]


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_insert_may_meet_its_own_row(is_ours: bool) -> None:
    """An earlier attempt, whose answer was lost, is this one; any other row has taken the id."""
    script = Script()

    def found() -> dict[str, Any]:
        item = script.asked[0][1]["Item"]
        return {"Item": item if is_ours else {**item, "_secret": {"S": "another"}}}

    script.answers = [unmet(), found]
    with contextlib.nullcontext() if is_ours else pytest.raises(IdTaken):
        assert script.store().create(record(), NOW) == value()
    assert script.names == ["PutItem", "GetItem"]
    assert script.asked[1][1]["Key"] == {"_idx": {"S": OLD}}
    assert script.asked[1][1]["ConsistentRead"] is True


@pytest.mark.parametrize("is_ours", [True, False, None], ids=["ours", "another", "none"])
def test_a_transaction_may_meet_its_own_row(is_ours: bool | None) -> None:
    """The same for the row under a new id; one that has gone a moment later is not ours."""
    script = Script()

    def found() -> dict[str, Any]:
        item = script.asked[1][1]["TransactItems"][0]["Put"]["Item"]
        return {} if is_ours is None else {"Item": item if is_ours else {**item, "_secret": {"S": "another"}}}

    cancelled = Refusal("TransactionCanceledException", "", None, [("ConditionalCheckFailed", None), ("None", None)])
    script.answers = [{"Item": row(count=1)}, cancelled, found]
    with contextlib.nullcontext() if is_ours else pytest.raises(IdTaken):
        written = sign_in(script.store())
        assert isinstance(written, Written)
        assert written.value == value(NEW)
    assert script.asked[2][1]["Key"] == {"_idx": {"S": NEW}}


def test_each_attempt_after_the_second_waits() -> None:
    """The refusal has the row at first; when that was stale it is read, after a random pause that doubles."""
    rows = [{**row(count=number), "_arc_rev": encode(number)} for number in range(5)]
    script = Script(
        {"Item": rows[0]}, unmet(rows[1]), unmet(), {"Item": rows[2]}, unmet(rows[3]), {"Item": rows[4]}, {}
    )
    store = script.store()
    edit = Delta([Change("edit", ("items",), ["b"], ["a"])], {"items": ["b"]})
    written = store.update(loaded(store), record(items=["b"]), edit, NOW)
    assert written
    assert script.names == ["GetItem", *["UpdateItem"] * 2, "GetItem", "UpdateItem", "GetItem", "UpdateItem"]
    assert len(script.pauses) == 2
    assert 0 < script.pauses[0] <= 0.05
    assert 0 < script.pauses[1] <= 0.1


def test_a_commit_is_given_up_after_ten_attempts() -> None:
    """Others kept changing the session, and the error says how often it was tried."""
    script = Script(
        {"Item": row(count=1)}, *[answer for _ in range(10) for answer in (unmet(), {"Item": row(count=3)})]
    )
    with pytest.raises(StoreError, match=r"\b10\b"):
        STEPS["update"](script.store(left=lambda: 0.01))
    assert script.names.count("UpdateItem") == 10
    assert len(script.pauses) == 9
    assert max(script.pauses) <= 0.01


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "read"])
def test_a_sign_out_follows_every_successor(is_told: bool) -> None:
    """However they were replaced in turn, each is asked for until nothing new is found, and the tombstones stay."""
    marks = {
        one: {"_idx": {"S": one}, "_arc_next": {"L": [{"S": next_one} for next_one in successors]}}
        for one, successors in ((OLD, ["1", "2"]), ("1", ["3"]))
    }

    class Table(Script):
        def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
            self.asked.append((operation, request))
            mark = marks.get(request["Key"]["_idx"]["S"])
            if operation == "DeleteItem" and mark:
                raise unmet(mark if is_told else None)
            return {"Item": mark} if mark else {}

    script = Table()
    session = record()
    script.store().destroy(session, NOW)
    deleted = [request["Key"]["_idx"]["S"] for operation, request in script.asked if operation == "DeleteItem"]
    assert deleted == [OLD, "1", "2", "3"] * 2
    assert script.names.count("GetItem") == (0 if is_told else 4)


def test_a_session_of_another_store_is_a_mistake() -> None:
    """Only what was loaded here can be changed here."""
    with pytest.raises(TypeError):
        Script().store().update(record(), record(), None, NOW)


def test_what_each_attempt_loses_is_named_once() -> None:
    """Also a value that others changed and changed back between the attempts."""
    values = ((0, 0), (1, 0), (0, 1))
    rows = [{**row(a=a, b=b), "_arc_rev": encode(number)} for number, (a, b) in enumerate(values)]
    both = Delta([Change("set", ("a",), 9, 0), Change("set", ("b",), 9, 0)], {"a": 9, "b": 9})
    found = {"Attributes": {"a": encode(0), "b": encode(1)}}
    script = Script({"Item": rows[0]}, unmet(rows[1]), unmet(), {"Item": rows[2]}, found)
    store = script.store()
    written = store.update(loaded(store), record(a=9, b=9), both, NOW)
    assert written
    assert written.lost == (("a",), ("b",))
    script = Script({"Item": rows[0]}, met(rows[1]), met(None), {"Item": rows[2]}, {})
    store = script.store()
    written = store.replace(loaded(store), record(NEW, a=9, b=9), both, NOW, signing_in=False)
    assert written
    assert written.lost == (("a",), ("b",))


@pytest.mark.parametrize("signing_in", [True, False])
def test_a_write_without_changes_meets_the_row_as_it_is(signing_in: bool) -> None:
    """An update, and a new id that takes along what another request wrote, or its sign-in where the session ended."""
    now = {**row(count=5), "_arc_rev": encode(5)}
    script = Script({"Item": row(count=1)}, unmet(now), {})
    store = script.store()
    written = store.update(loaded(store), record(count=1), None, NOW)
    assert written
    assert written.lost == ()
    ended = tombstone(OLD, NOW + 900, {"_arc_ended": True})
    for old in (now, ended):
        script = Script({"Item": row(count=1)}, met(old), *([{}] if old is now else [{"Item": ended}, {}]))
        store = script.store()
        before = loaded(store)
        written = store.replace(before, record(NEW, count=1), None, NOW, signing_in=signing_in)
        if old is ended and not signing_in:
            assert written is None
            continue
        assert written
        assert (written.value, written.lost) == (value(NEW), ())
        operation, request = script.asked[-1]
        item = request["Item"] if operation == "PutItem" else request["TransactItems"][0]["Put"]["Item"]
        assert item == row(NEW, secret=item["_secret"]["S"], **({"count": 5} if old is now else {}))


def test_a_value_that_cannot_be_shown_and_came_meanwhile_is_another_writers() -> None:
    """An update that DynamoDB refuses for it is made again in its place."""
    strange = {**row(count=1), "tags": {"SS": ["x"]}}
    script = Script({"Item": row(count=1)}, INVALID, {"Item": strange}, {})
    store = script.store()
    delta = Delta([Change("increment", ("tags",), 1)], {"count": 1, "tags": 1})
    assert store.update(loaded(store), record(count=1, tags=1), delta, NOW)
    assert script.names == ["GetItem", "UpdateItem", "GetItem", "UpdateItem"]


@pytest.mark.parametrize(
    ("revision", "stamp", "lost"),
    [
        (1, 1, ()),
        (1, 2, (("count",),)),
        (1_000_001, 1, ()),
        (1_000_001, 2, (("count",),)),
        (None, 0, ()),
        (None, 1, (("count",),)),
    ],
)
def test_a_commit_that_finds_its_token_is_done(revision: int | None, stamp: int, lost: tuple[Any, ...]) -> None:
    """It took effect before its answer was lost; the stamp of its token says whether it overwrote anything unseen."""
    before = row(count=1)
    if revision is None:
        del before["_arc_rev"], before["_arc_ops"]
    else:
        before["_arc_rev"] = encode(revision)
    script = Script()

    def done() -> dict[str, Any]:
        request = script.asked[1][1]
        tokens = [name for name in request["ExpressionAttributeNames"].values() if len(name) == 24]
        tokens += [name for one in request["ExpressionAttributeValues"].values() for name in one.get("M", {})]
        (token,) = tokens
        raise unmet({**row(count=2), "_arc_ops": encode({token: commit_stamp(NOW, stamp)})})

    script.answers = [{"Item": before}, done]
    written = STEPS["update"](script.store())
    assert isinstance(written, Written)
    assert written.lost == lost
    assert script.names == ["GetItem", "UpdateItem"]


@pytest.mark.parametrize(
    ("before", "now", "is_tried_again"), [(1, 1, False), (1, 5, True)], ids=["as it was", "changed"]
)
@pytest.mark.parametrize("hidden", [{}, {"tags": {"SS": ["x"]}}], ids=["shown", "hidden"])
def test_an_update_that_is_invalid_is_tried_again_where_the_row_has_changed(
    before: int, now: int, hidden: dict[str, Any], *, is_tried_again: bool
) -> None:
    """Whatever else the row holds, its revision tells."""
    rows = [{**row(count=1), **hidden, "_arc_rev": encode(revision)} for revision in (before, now)]
    script = Script({"Item": rows[0]}, INVALID, {"Item": rows[1]}, {})
    store = script.store()
    delta = Delta([Change("increment", ("tags",), 1)], {"count": 1, "tags": 1})
    if is_tried_again:
        assert store.update(loaded(store), record(count=1, tags=1), delta, NOW)
    else:
        with pytest.raises(StoreError):
            store.update(loaded(store), record(count=1, tags=1), delta, NOW)
    assert script.names.count("UpdateItem") == 1 + is_tried_again


# -- a sign-in whose session has gone


def tomb(*successors: str, of: str = OLD) -> dict[str, Any]:
    """The tombstone of a session that these have replaced."""
    return tombstone(of, NOW + 900, {"_arc_next": list(successors), "_arc_replaced": NOW})


def test_a_sign_in_finds_what_lives_of_any_number_of_successors() -> None:
    """It follows each tombstone once, also where they lead in a circle, and gets beside the first that lives."""
    third, fourth = "C" * 24, "D" * 24
    script = Script(
        {"Item": row(count=1)},
        met(tomb("1", third)),
        {"Item": tomb("1", third)},
        {"Item": tomb(OLD, third, fourth, of="1")},
        {},
        {"Item": tomb("1", of=OLD)},
        {"Item": row(fourth, secret="another")},
        {},
    )
    assert isinstance(sign_in(script.store()), Written)
    read = [request["Key"]["_idx"]["S"] for operation, request in script.asked if operation == "GetItem"]
    assert read == [OLD, OLD, "1", third, OLD, fourth]
    assert script.asked[-1][1]["TransactItems"][2]["ConditionCheck"]["Key"] == {"_idx": {"S": fourth}}


def test_a_sign_in_that_took_effect_and_was_signed_out_is_over() -> None:
    """Its id is among the successors, and what it made has gone: nothing is written again."""
    script = Script({"Item": row(count=1)}, met(tomb(NEW)), {"Item": tomb(NEW)})
    assert sign_in(script.store()) is None


@pytest.mark.parametrize("again", [True, False], ids=["another came first", "refused"])
def test_a_second_transaction_that_is_refused(again: bool) -> None:
    """It is made again, after a pause, where another request came first, and else reported."""
    heir = {"Item": row("C" * 24, secret="another")}
    first: list[Any] = [{"Item": row(count=1)}, met(tomb("C" * 24)), {"Item": tomb("C" * 24)}, heir]
    cancelled = Refusal("TransactionCanceledException", "", None, [("None", None), ("TransactionConflict", None)])
    script = Script(*first, cancelled if again else INVALID, {"Item": tomb("C" * 24)}, heir, {})
    if again:
        written = sign_in(script.store())
        assert isinstance(written, Written)
        assert written.value == value(NEW)
    else:
        with pytest.raises(StoreError, match="Something is wrong"):
            sign_in(script.store())
    assert script.names.count("TransactWriteItems") == 2 + again
    assert len(script.pauses) == again


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_second_transaction_may_meet_its_own_row(is_ours: bool) -> None:
    """An earlier attempt inserted it, or it has taken the id."""
    script = Script()

    def found() -> dict[str, Any]:
        item = script.asked[4][1]["TransactItems"][0]["Put"]["Item"]
        return {"Item": item if is_ours else {**item, "_secret": {"S": "another"}}}

    cancelled = Refusal("TransactionCanceledException", "", None, [("ConditionalCheckFailed", None)])
    heir = {"Item": row("C" * 24, secret="another")}
    script.answers = [{"Item": row()}, met(tomb("C" * 24)), {"Item": tomb("C" * 24)}, heir, cancelled, found]
    with contextlib.nullcontext() if is_ours else pytest.raises(IdTaken):
        assert isinstance(sign_in(script.store()), Written)
    assert script.asked[5][1]["Key"] == {"_idx": {"S": NEW}}


@pytest.mark.parametrize("lives", [True, False], ids=["replaced", "ended"])
def test_what_a_sign_in_loses_before_its_session_ends_is_named(lives: bool) -> None:
    """With what has no place in the new session, where nothing of the old one lives."""
    changed = {**row(a=1, cart={}), "_arc_rev": encode(2)}
    before = {"Item": row(cart={})}
    end = tomb("C" * 24) if lives else tombstone(OLD, NOW + 900, {"_arc_ended": True})
    after = [{"Item": row("C" * 24, secret="another")}, {}] if lives else [{}]
    script = Script(before, met(changed), met(None), {"Item": end}, {"Item": end}, *after)
    store = script.store()
    delta = Delta([Change("set", ("a",), 9), Change("set", ("cart", "note"), "x")], {"a": 9, "cart": {"note": "x"}})
    written = store.replace(loaded(store), record(NEW, a=9, cart={"note": "x"}), delta, NOW, signing_in=True)
    assert written
    assert set(written.lost) == ({("a",)} if lives else {("a",), ("cart",)})
