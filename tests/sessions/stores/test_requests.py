"""What the store asks of its table: each request to the letter, without an engine."""

from __future__ import annotations

import re
from typing import Any

import pytest

from arc.errors import SessionTooLarge
from arc.sessions.delta import Change, Delta
from arc.sessions.record import Refused
from arc.sessions.stores.dynamodb.attributes import encode, size
from arc.sessions.stores.dynamodb.expression import Expression
from arc.sessions.stores.dynamodb.row import item_of
from arc.sessions.stores.dynamodb.transport import Refusal
from tests.sessions.making import WEEK
from tests.sessions.stores.scripts import ALIVE, NEW, NOW, OLD, UNCHANGED, Script, loaded, plain, record, row, value

# -- reads


def test_a_session_is_read_consistently_by_its_id() -> None:
    """Unless the app asks for reads that may be a moment old."""
    script = Script({"Item": row(count=1)})
    assert script.store().load(value(), NOW).data == {"count": 1}
    assert script.asked == [("GetItem", {"TableName": "t", "Key": {"_idx": {"S": OLD}}, "ConsistentRead": True})]


def test_an_id_that_no_key_could_be_is_not_asked_for() -> None:
    """A partition key has 1 to 1,024 bytes."""
    script = Script({}, {})
    store = script.store()
    reasons = {"": "malformed", "x" * 1025: "malformed", "x" * 1024: "unknown-id", "x": "unknown-id"}
    for session_id, reason in reasons.items():
        with pytest.raises(Refused) as refused:
            store.load(value(session_id), NOW)
        assert refused.value.reason == reason
    assert len(script.asked) == 2


@pytest.mark.parametrize("answers", [({"Item": row(count=1)},), ({}, {"Item": row(count=1)}), ({}, {})], ids=len)
def test_a_miss_of_a_read_that_may_be_stale_is_read_again(answers: tuple[dict[str, Any], ...]) -> None:
    """A hit is not, and the second read is consistent."""
    script = Script(*answers)
    store = script.store(consistent=False)
    if answers[-1]:
        assert store.load(value(), NOW).data == {"count": 1}
    else:
        with pytest.raises(Refused, match="unknown-id"):
            store.load(value(), NOW)
    assert [request["Key"] for _, request in script.asked] == [{"_idx": {"S": OLD}}] * len(answers)
    assert [request["ConsistentRead"] for _, request in script.asked] == [False, True][: len(answers)]


@pytest.mark.parametrize(("ends", "began"), [(NOW + 10, NOW + 10 - WEEK), (NOW + 2 * WEEK, NOW)])
def test_a_row_of_node_began_a_week_before_its_end(ends: int, began: int) -> None:
    """Node ends a session a week after each write, and no session begins in the future."""
    of_node = {name: attribute for name, attribute in row().items() if not name.startswith("_arc_")}
    found = loaded(Script({"Item": {**of_node, "_ttl": encode(ends)}}).store())
    assert (found.created, found.expires, found.stale) == (began, ends, False)


# -- sizes


def test_a_session_may_have_64_kilobytes() -> None:
    """To the byte, unless the app allows more; one byte more is refused before anything is sent."""
    script = Script({})
    store = script.store()
    room = 65_536 - size(item_of(record(text=""), "x" * 24))
    assert store.create(record(text="x" * room), NOW) == value()
    with pytest.raises(SessionTooLarge, match=r"\b65,537\b.*\b65,536\b"):
        store.create(record(text="x" * (room + 1)), NOW)
    assert script.names == ["PutItem"]


def test_the_largest_attributes_of_a_row_are_named() -> None:
    """Three at most, the largest first, each with its bytes."""
    large = record(one="x" * 70_000, two="x" * 200, three="x" * 300, four="x")
    named = re.escape("'one' (70,003 bytes), 'three' (305 bytes), 'two' (203 bytes). ")
    with pytest.raises(SessionTooLarge, match=named):
        Script().store().create(large, NOW)


# -- writes


def test_a_new_row_is_put_where_there_is_none() -> None:
    """The row has a secret of its own, by which it is known again."""
    script = Script({})
    script.store().create(record(count=1), NOW)
    ((operation, request),) = script.asked
    assert (operation, request["TableName"]) == ("PutItem", "t")
    assert request["Item"] == row(secret=request["Item"]["_secret"]["S"], count=1)
    assert len(request["Item"]["_secret"]["S"]) == 24
    assert plain(request) == ("", "attribute_not_exists(_idx)")


def test_a_change_is_one_update_of_a_living_row() -> None:
    """It counts the revision, and records the commit by a token that must not be there."""
    script = Script({"Item": row(count=1)}, {})
    store = script.store()
    later = record(count=2)
    later.expires = NOW + 2 * WEEK
    delta = Delta([Change("set", ("count",), 2, 1)], {"count": 2})
    written = store.update(loaded(store), later, delta, NOW)
    assert written
    assert (written.value, written.lost) == (value(), (("count",),))
    operation, request = script.asked[1]
    assert (operation, request["TableName"], request["Key"]) == ("UpdateItem", "t", {"_idx": {"S": OLD}})
    assert request["ReturnValues"] == "UPDATED_OLD"
    (token,) = (name for name in request["ExpressionAttributeNames"].values() if re.fullmatch("[0-9a-f]{24}", name))
    commit = f"_arc_ops.{token} = if_not_exists(_arc_rev, N/0) + N/{NOW}000000"
    assert plain(request) == (
        f"SET _ttl = N/{NOW + 2 * WEEK}, {commit}, count = N/2 ADD _arc_rev N/1",
        f"{ALIVE} AND attribute_not_exists(_arc_ops.{token})",
    )


def test_a_renewal_moves_the_end_that_was_read() -> None:
    """Another request's later end stays."""
    script = Script({"Item": row()}, {})
    store = script.store()
    later = record()
    later.expires = NOW + 2 * WEEK
    written = store.renew(loaded(store), later, NOW)
    assert written
    assert written.value == value()
    operation, request = script.asked[1]
    assert (operation, request["TableName"], request["Key"]) == ("UpdateItem", "t", {"_idx": {"S": OLD}})
    assert plain(request) == (f"SET _ttl = N/{NOW + 2 * WEEK}", f"{ALIVE} AND _ttl = N/{NOW + WEEK}")


def test_a_renewal_stamps_a_row_of_node_with_its_beginning() -> None:
    """From then on its absolute lifetime is known."""
    of_node = {name: attribute for name, attribute in row().items() if not name.startswith("_arc_")}
    script = Script({"Item": of_node}, {})
    store = script.store()
    before = loaded(store)
    assert store.renew(before, record(), NOW)
    assert plain(script.asked[1][1])[0] == f"SET _ttl = N/{NOW + WEEK}, _arc_created = N/{NOW}"


def test_a_new_id_is_one_transaction() -> None:
    """The new row is inserted, and a tombstone takes the place of the old one as it was read."""
    script = Script({"Item": row(count=1, cart={"items": ["a"]})}, {})
    store = script.store()
    delta = Delta([Change("append", ("cart", "items"), ["b"])], {"count": 1, "cart": {"items": ["a", "b"]}})
    written = store.replace(loaded(store), record(NEW), delta, NOW, signing_in=False)
    assert written
    assert (written.value, written.lost) == (value(NEW), ())
    operation, request = script.asked[1]
    assert operation == "TransactWriteItems"
    assert request.keys() == {"TransactItems", "ClientRequestToken"}
    assert re.fullmatch("[0-9a-f]{24}", request["ClientRequestToken"])
    new, old = (item["Put"] for item in request["TransactItems"])
    assert new["TableName"] == old["TableName"] == "t"
    assert new["Item"] == row(NEW, secret=new["Item"]["_secret"]["S"], count=1, cart={"items": ["a", "b"]})
    assert new["Item"]["_secret"]["S"] != "its secret"
    assert plain(new) == ("", "attribute_not_exists(_idx)")
    assert old["Item"] == {
        "_idx": {"S": OLD},
        "_ttl": {"N": str(NOW + 900)},
        "_arc_next": {"L": [{"S": NEW}]},
        "_arc_replaced": {"N": str(NOW)},
    }
    assert plain(old) == ("", UNCHANGED)


def test_a_second_sign_in_gets_beside_the_first() -> None:
    """A further transaction adds its id to the tombstone, as long as what has replaced the session lives."""
    tombstone = {
        "_idx": {"S": OLD},
        "_ttl": {"N": str(NOW + 900)},
        "_arc_next": {"L": [{"S": NEW}]},
        "_arc_replaced": {"N": str(NOW)},
    }
    cancelled = Refusal(
        "TransactionCanceledException", "", None, [("None", None), ("ConditionalCheckFailed", tombstone)]
    )
    script = Script({"Item": row(count=1)}, cancelled, {"Item": tombstone}, {"Item": row(NEW, secret="another")}, {})
    store = script.store()
    third = "C" * 24
    written = store.replace(loaded(store), record(third, count=1), None, NOW, signing_in=True)
    assert written
    assert written.value == value(third)
    assert script.names == ["GetItem", "TransactWriteItems", "GetItem", "GetItem", "TransactWriteItems"]
    assert [request["Key"]["_idx"]["S"] for _, request in script.asked if "Key" in request] == [OLD, OLD, NEW]
    request = script.asked[-1][1]
    assert re.fullmatch("[0-9a-f]{24}", request["ClientRequestToken"])
    ((first, put), (second, update), (last, check)) = (
        part for item in request["TransactItems"] for part in item.items()
    )
    assert (first, second, last) == ("Put", "Update", "ConditionCheck")
    assert put["TableName"] == update["TableName"] == check["TableName"] == "t"
    assert put["Item"] == row(third, secret=put["Item"]["_secret"]["S"], count=1)
    assert plain(put) == ("", "attribute_not_exists(_idx)")
    assert update["Key"] == {"_idx": {"S": OLD}}
    assert plain(update) == (
        f"SET _arc_next = list_append(if_not_exists(_arc_next, L/[]), L/[{{'S': '{third}'}}])",
        "attribute_exists(_arc_next)",
    )
    assert check["Key"] == {"_idx": {"S": NEW}}
    assert plain(check) == ("", f"_secret = S/another AND _ttl > N/{NOW}")


def test_a_sign_out_deletes_what_has_no_successor() -> None:
    """The row goes unless it has been replaced."""
    script = Script({"Item": row()}, {})
    store = script.store()
    store.destroy(loaded(store), NOW)
    operation, request = script.asked[1]
    assert (operation, request["TableName"], request["Key"]) == ("DeleteItem", "t", {"_idx": {"S": OLD}})
    assert plain(request) == ("", "attribute_not_exists(_arc_next)")


@pytest.mark.parametrize(("ends", "buried"), [(NOW - 1, False), (NOW, False), (NOW + 1, True)])
def test_a_sign_out_buries_what_an_older_token_could_bring_back(ends: int, buried: bool) -> None:
    """A mark stays under the id until that token has expired."""
    script = Script({"Item": {**row(), "_arc_origin": {"N": str(ends)}}}, {})
    store = script.store()
    store.destroy(loaded(store), NOW)
    operation, request = script.asked[1]
    assert operation == ("PutItem" if buried else "DeleteItem")
    if buried:
        assert request["Item"] == {"_idx": {"S": OLD}, "_ttl": {"N": str(ends)}, "_arc_ended": {"BOOL": True}}
    assert plain(request) == ("", "attribute_not_exists(_arc_next)")


def test_a_change_that_no_update_holds_puts_the_row_as_it_was_read() -> None:
    """With all that the app changed, a further revision, and the tokens of the last minute."""
    many: dict[str, Any] = {f"k{number}": number for number in range(400)}
    tokens = {"old": {"N": f"{NOW - 61}000000"}, "new": {"N": f"{NOW - 60}000007"}}
    hidden = {"SS": ["x"]}
    script = Script({"Item": {**row(count=1), "_arc_ops": {"M": tokens}, "tags": hidden}}, {})
    store = script.store()
    delta = Delta([Change("set", (key,), number) for key, number in many.items()], {"count": 1, **many})
    later = record(count=1, **many)
    later.expires = NOW + 2 * WEEK
    written = store.update(loaded(store), later, delta, NOW)
    assert written
    operation, request = script.asked[1]
    assert (operation, request["TableName"]) == ("PutItem", "t")
    item = request["Item"]
    kept = item.pop("_arc_ops")["M"]
    (token,) = (one for one in kept if re.fullmatch("[0-9a-f]{24}", one))
    assert kept == {"new": tokens["new"], token: {"N": f"{NOW}000001"}}
    expected = {**row(count=1, **many), "tags": hidden, "_ttl": encode(NOW + 2 * WEEK), "_arc_rev": encode(2)}
    del expected["_arc_ops"]
    assert item == expected
    assert plain(request) == ("", UNCHANGED)


def test_a_whole_row_of_node_gets_its_first_revision() -> None:
    """Node's rows have neither revision nor tokens nor a beginning, and nobody else may have given it those."""
    of_node = {name: attribute for name, attribute in row(count=1).items() if not name.startswith("_arc_")}
    many: dict[str, Any] = {f"k{number}": number for number in range(400)}
    script = Script({"Item": of_node}, {})
    store = script.store()
    delta = Delta([Change("set", (key,), number) for key, number in many.items()], {"count": 1, **many})
    assert store.update(loaded(store), record(count=1, **many), delta, NOW)
    request = script.asked[1][1]
    assert request["Item"]["_arc_rev"] == {"N": "1"}
    assert request["Item"]["_arc_created"] == {"N": str(NOW)}
    assert list(request["Item"]["_arc_ops"]["M"].values()) == [{"N": f"{NOW}000000"}]
    assert plain(request)[1] == f"{ALIVE} AND _ttl = N/{NOW + WEEK} AND attribute_not_exists(_arc_rev)"


def test_as_many_appends_fit_as_their_text() -> None:
    """Each takes three of the 300 operators, so that the length is the limit."""
    made = Expression()
    while made.fits:
        made.append(("list",), ["x"])
    assert len(made.update) > 4096
