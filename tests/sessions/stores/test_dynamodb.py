"""The number and form of a session's requests to DynamoDB, and unusual rows."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from arc.errors import SessionTooLarge
from arc.http import build_manager
from arc.sessions.stores.dynamodb import expression
from arc.sessions.stores.dynamodb.attributes import decode, encode
from arc.sessions.stores.dynamodb.row import Row
from arc.sessions.values import normalize, same
from arc.testing import Clock
from tests.sessions.making import value_of
from tests.sessions.stores.tables import Kept
from tests.sessions.test_delta import JSON, delta_of, edits

if TYPE_CHECKING:
    from arc.sessions.lifecycle import Event
    from arc.sessions.manager import SessionManager
    from arc.sessions.session import Session
    from tests.engines import Engine

NOW = 1_800_000_000


class Site:
    """An app on a new session table."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.kept = Kept(engine, **options)
        self.clock = Clock()
        self.events: list[Event] = []
        self.manager: SessionManager = build_manager(
            self.kept.settings, store=self.kept.store, clock=self.clock, on_event=self.events.append
        )

    def visitor(self, **data: Any) -> str:
        """Return the cookie value of a new session, and reset the recorded calls."""
        session = self.manager.load([])
        session.update(data)
        value = value_of(self.manager.commit(session)[0])
        self.kept.calls.made.clear()
        return value

    def calls(self, value: str, work: Any, *, explicit: bool = False) -> list[str]:
        """Return the operations of one request that does `work`."""
        self.kept.calls.made.clear()
        session = self.manager.load([value])
        work(session)
        self.manager.commit(session, explicit=explicit)
        return self.kept.calls.names


# -- the number of requests


def test_s33_a_read_is_one_get_item(engine: Engine) -> None:
    """A request that only reads makes one call."""
    site = Site(engine)
    assert site.calls(site.visitor(count=1), lambda session: session["count"]) == ["GetItem"]


@pytest.mark.parametrize(
    "work",
    [
        lambda session: session.update(count=2),
        lambda session: session["cart"]["items"].append("pen"),
        lambda session: session["cart"]["items"].reverse(),
        lambda session: session.increment("count"),
        lambda session: session.setdefault("new", {}).update(key=1),
        lambda session: session.replace({"only": "this"}),
        lambda session: session.pop("cart"),
        lambda session: session.flash("info", "hello"),
        lambda session: session.update({f"key{number}": "x" for number in range(60)}),
    ],
    ids=["set", "append", "edit", "increment", "create", "replace", "remove", "flash", "many"],
)
def test_a_change_is_one_get_item_and_one_update_item(engine: Engine, work: Any) -> None:
    """Any change is one read and one write, and the row has the session's data."""
    site = Site(engine)
    value = site.visitor(count=1, cart={"items": ["a", "b"]})
    assert site.calls(value, work) == ["GetItem", "UpdateItem"]


def test_a_change_too_large_for_an_expression_puts_the_row(engine: Engine) -> None:
    """Four hundred changed keys are one conditional write."""
    site = Site(engine)
    value = site.visitor(count=1)
    many = {f"key{number}": number for number in range(400)}
    assert site.calls(value, lambda session: session.update(many)) == ["GetItem", "PutItem"]
    assert site.manager.load([value]) == {"count": 1, **many}
    other, session = site.manager.load([value]), site.manager.load([value])
    other["other"] = True
    site.manager.commit(other)
    session.update(dict.fromkeys(many, -1))
    site.manager.commit(session)
    assert site.manager.load([value]) == {"count": 1, "other": True, **dict.fromkeys(many, -1)}


def test_s32_an_unused_session_makes_no_call(engine: Engine) -> None:
    """A new session that is not stored makes no call, and a sign-out makes one besides the read."""
    site = Site(engine)
    value = site.visitor(count=1)
    assert site.manager.commit(site.manager.load([])) == ()
    assert site.kept.calls.names == []
    assert site.calls(value, lambda session: session.sign_out()) == ["GetItem", "DeleteItem"]


def test_a_sign_in_is_one_transaction(ministack: Engine) -> None:
    """Regeneration is one read and one TransactWriteItems."""
    site = Site(ministack)
    assert site.calls(site.visitor(count=1), lambda session: session.sign_in("ada")) == [
        "GetItem",
        "TransactWriteItems",
    ]


def test_an_explicit_write_without_changes_moves_the_end(engine: Engine) -> None:
    """`write` of an unchanged session is one update of its end."""
    site = Site(engine)
    value = site.visitor(count=1)
    assert site.calls(value, lambda session: session.get("count"), explicit=True) == ["GetItem", "UpdateItem"]
    assert site.manager.load([value]) == {"count": 1}


def test_an_eventually_consistent_miss_is_read_again(engine: Engine) -> None:
    """Without consistent reads a hit is one read, and a miss is read again consistently."""
    site = Site(engine, consistent=False)
    value = site.visitor(count=1)
    ended = site.visitor(count=1)
    assert site.calls(value, lambda session: session["count"]) == ["GetItem"]
    session = site.manager.load([ended])
    session.sign_out()
    site.manager.commit(session)
    assert site.calls(ended, lambda session: session.get("count")) == ["GetItem", "GetItem"]
    assert [request["ConsistentRead"] for _, request in site.kept.calls.made] == [False, True]


# -- the requests


@given(edits())
def test_every_expression_is_valid_for_dynamodb(edit: tuple[dict[str, Any], Session]) -> None:
    """Names and values are aliased and all used, paths do not overlap, and the limits are respected."""
    data, session = edit
    item = {key: encode(value) for key, value in data.items()}
    facts = {"_idx": "A" * 24, "_secret": "B" * 24, "_ttl": NOW + 60, "_arc_rev": 1, "_arc_ops": {}, "_arc_created": 1}
    row = Row({**item, **{name: encode(value) for name, value in facts.items()}}, NOW)
    operation, request = expression.change(row, delta_of(session), {"_ttl": NOW + 99}, NOW, "token")
    assert operation == "UpdateItem"
    check(request)


def check(request: dict[str, Any]) -> None:
    """Fail for an update that DynamoDB would refuse."""
    update, condition = request["UpdateExpression"], request["ConditionExpression"]
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    text = f"{update} {condition}"
    assert set(re.findall(r"#\w+", text)) == set(names)
    assert set(re.findall(r":\w+", text)) == set(values)
    functions = "list_append|if_not_exists|attribute_not_exists"
    bare = re.sub(rf"[#:]\w+|\b(?:SET|ADD|REMOVE|AND|{functions})\b|[=><,+().\s]", "", text)
    assert bare == ""
    assert len(update.encode()) <= 4096
    assert len(condition.encode()) <= 4096
    operators = len(re.findall(rf"[=><,+]|\b(?:{functions}|AND|ADD|REMOVE)\b", text))
    assert operators <= 300
    targets = sorted(paths(update))
    for one, other in itertools.pairwise(targets):
        assert other[: len(one)] != one


def paths(update: str) -> list[list[str]]:
    """Return the paths that an update changes."""
    found = []
    for clause in re.split(r"\b(?=SET |ADD |REMOVE )", update):
        without_calls = re.sub(r"list_append\(.*?\), :\w+\)", "", clause)
        found += [target.split(".") for target in re.findall(r"(?:^\w+|,)\s+(#[\w.#]+)", without_calls.strip())]
    return found


def of_length(length: int, begin: int) -> list[str]:
    """Return a path that results, after `begin` characters, in an expression of this length: `#n0.#n0.…#n10.#n10`."""
    longer = next(many for many in range(4) if (length - begin + 1 - 5 * many) % 4 == 0)
    return ["k0"] * ((length - begin + 1 - 5 * longer) // 4) + ["k10"] * longer


def named() -> expression.Expression:
    """Return an empty expression in which `k10` has a longer alias than `k0`."""
    made = expression.Expression()
    made.name(*(f"k{number}" for number in range(11)))
    return made


def test_an_expression_fits_up_to_dynamodbs_limits() -> None:
    """4,096 bytes of either expression and 300 operators fit, and one more does not."""
    for length in (4096, 4097):
        update, condition = named(), named()
        update.remove(of_length(length, len("REMOVE ")))
        condition.demand("attribute_exists", of_length(length, len("attribute_exists()")))
        assert (len(update.update), len(condition.condition)) == (length, length)
        assert update.fits is condition.fits is (length == 4096)
    many = named()
    for _ in range(300):
        many.remove(["k0"])
    assert many.fits
    many.remove(["k0"])
    assert not many.fits


def test_the_check_of_expressions_finds_faults() -> None:
    """It detects a name without an alias, an unused alias and overlapping paths."""
    good = {
        "UpdateExpression": "SET #a = :a",
        "ConditionExpression": "#b > :a",
        "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    }
    check(good)
    for fault in (
        {"UpdateExpression": "SET _idx = :a, #a = :a"},
        {"ExpressionAttributeNames": {"#a": "a", "#b": "b", "#c": "c"}},
        {"UpdateExpression": "SET #a = :a, #a.#b = :a"},
        {"UpdateExpression": "SET #a = :a REMOVE #a.#b"},
    ):
        with pytest.raises(AssertionError):
            check(good | fault)


@given(JSON)
def test_values_are_loaded_unchanged(value: Any) -> None:
    """Every JSON value is loaded unchanged, except the type of a number without a fraction."""
    stored = normalize({"value": value})["value"]
    assert decode(encode(stored)) == stored


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("-0", 0),
        ("1.5", 1.5),
        ("1E+3", 1000),
        ("1e37", 10**37),
        ("1E+38", 1e38),
        ("1E-9", 1e-9),
        ("9.99E+125", 9.99e125),
        ("9" * 38, 10**38 - 1),
        ("1" + "0" * 38, 1e38),
        ("-1" + "0" * 100, -1e100),
    ],
)
def test_numbers_are_read_in_every_spelling(text: str, number: float) -> None:
    """A number without a fraction is an int in any spelling, up to the limit of digits."""
    found = decode({"N": text})
    assert same([found], [number])


@pytest.mark.parametrize("number", [1e38, -1e38, 1.5e100, 9.99e125])
def test_a_session_with_a_large_number_can_be_changed(engine: Engine, number: float) -> None:
    """DynamoDB writes a large float with all digits, and it is loaded as a float that can be stored again."""
    site = Site(engine)
    value = site.visitor(large=number)
    session = site.manager.load([value])
    session["count"] = 1
    site.manager.commit(session)
    again = site.manager.load([value])
    assert same(dict(again), {"large": number, "count": 1})


# -- sizes


def test_a_session_over_the_limit_is_refused_before_any_write(engine: Engine) -> None:
    """The error has the largest keys, and nothing is sent."""
    site = Site(engine)
    value = site.visitor(count=1)
    session = site.manager.load([value])
    session["letters"] = "é" * 40_000
    with pytest.raises(SessionTooLarge, match=r"80,\d\d\d bytes, and 65,536 are allowed. Largest: 'letters' \(80,007"):
        site.manager.commit(session)
    assert site.kept.calls.names == ["GetItem"]
    assert site.manager.load([value]) == {"count": 1}


def test_a_row_that_grows_beyond_dynamodbs_limit_is_too_large(ministack: Engine) -> None:
    """When parallel requests reach 400 KB together, the last one raises, and nothing is lost."""
    site = Site(ministack, max_bytes=400 * 1024)
    value = site.visitor(one="x" * 390_000)
    session = site.manager.load([value])
    session["two"] = "x" * 30_000
    with pytest.raises(SessionTooLarge):
        site.manager.commit(session)
    assert set(site.manager.load([value])) == {"one"}


# -- rows that others wrote


def put(site: Site, value: str, **attributes: Any) -> None:
    """Overwrite attributes of the row; None removes one."""
    row = {**site.kept.rows[0], **attributes}
    row = {key: attribute for key, attribute in row.items() if attribute is not None}
    site.kept.engine.look("dynamodb").put_item(TableName=site.kept.table, Item=row)


@pytest.mark.parametrize(
    "mangled",
    [
        {"_secret": None},
        {"_secret": {"N": "1"}},
        {"_secret": {"L": []}},
        {"_secret": {"S": ""}},
        {"_ttl": None},
        {"_ttl": {"S": "never"}},
        {"_ttl": {"N": "1.5"}},
        {"_arc_rev": {"S": "x"}},
        {"_arc_ops": {"L": []}},
        {"_arc_ops": {"M": {"token": {"S": "x"}}}},
        {"_arc_created": {"BOOL": True}},
        {"_arc_user": {"N": "1"}},
        {"_arc_user": {"S": ""}},
        {"_arc_signed_in": {"S": "yesterday"}},
        {"_arc_flash": {"S": "hello"}},
        {"_arc_flash": {"L": [{"S": "hello"}]}},
        {"_arc_flash": {"L": [{"L": [{"S": "info"}, {"N": "1"}]}]}},
    ],
    ids=str,
)
def test_a_malformed_row_is_a_new_session(ministack: Engine, mangled: dict[str, Any]) -> None:
    """A malformed row is a new session and an event, and never an error."""
    site = Site(ministack)
    value = site.visitor(count=1)
    put(site, value, **mangled)
    session = site.manager.load([value])
    assert session == {}
    assert session.is_new
    assert site.events[-1].name == "refused"


def test_unsupported_attributes_are_kept(engine: Engine) -> None:
    """Sets and binary data of others are not in the dict, and survive our changes."""
    site = Site(engine)
    value = site.visitor(count=1, cart={"items": ["a"]})
    hidden = {"SS": ["x", "y"]}
    put(site, value, tags=hidden, photo={"B": b"\x00\x01"}, cart={"M": {"items": {"L": []}, "tags": hidden}})
    session = site.manager.load([value])
    assert session == {"count": 1, "cart": {"items": []}}
    session["cart"]["items"].append("b")
    session["cart"]["note"] = "gift"
    site.manager.commit(session)
    row = site.kept.rows[0]
    assert sorted(row["tags"]["SS"]) == ["x", "y"]
    assert row["photo"]["B"] == b"\x00\x01"
    assert sorted(row["cart"]["M"]["tags"]["SS"]) == ["x", "y"]
    assert site.manager.load([value]) == {"count": 1, "cart": {"items": ["b"], "note": "gift"}}


def test_tokens_of_old_commits_are_removed(engine: Engine) -> None:
    """A row does not grow with the number of its changes."""
    site = Site(engine)
    value = site.visitor(count=1)
    for _ in range(5):
        session = site.manager.load([value])
        session.increment("count")
        site.manager.commit(session)
        site.clock.forward(61)
    assert len(site.kept.rows[0]["_arc_ops"]["M"]) == 1
    assert site.manager.load([value]) == {"count": 6}


def test_an_increment_of_a_value_that_became_text_assigns(engine: Engine) -> None:
    """Our number is stored, and the loss is reported."""
    site = Site(engine)
    value = site.visitor(count=1)
    session, other = site.manager.load([value]), site.manager.load([value])
    other["count"] = "many"
    site.manager.commit(other)
    session.increment("count")
    site.manager.commit(session)
    assert site.manager.load([value]) == {"count": 2}
    assert site.events[-2].reason == "two requests changed session['count'] at once"
