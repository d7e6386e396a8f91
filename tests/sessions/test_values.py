"""The values that a session can store."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import Enum, IntEnum
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.sessions.text import check_depth, encode
from arc.sessions.values import finite, normalize, plain_text, refuse_deep, same
from tests.sessions.making import Made, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**38) + 1, 10**38 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-9e125, max_value=9e125).filter(
        lambda number: number == 0 or abs(number) > 1e-129
    )
    | st.text()
)
KEYS = st.text(min_size=1).filter(lambda key: key not in {"iat", "exp"} and not key.startswith("_"))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)
DATA = st.dictionaries(KEYS, VALUES)


@pytest.mark.parametrize("number", [Decimal("9.50"), Decimal(2), Decimal("NaN")])
def test_a_decimal_is_refused_with_advice(number: Decimal) -> None:
    """Items of DynamoDB tables have Decimals, and the app must choose one of three conversions."""
    with pytest.raises(TypeError) as refusal:
        normalize({"cart": [{"price": number}]})
    message = str(refusal.value)
    assert message.startswith("session['cart'][0]['price'] is a Decimal")
    assert [form for form in ("int(value)", "float(value)", "str(value)") if form not in message] == []


@given(DATA)
def test_a_normalized_copy_is_equal_and_shares_nothing(data: dict[str, Any]) -> None:
    """A normalized copy of valid data is equal, with equal types at every depth."""
    copy = normalize(data)
    assert same(copy, data)
    assert copy is not data


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({1, 2}, "session['x']"),
        ([{"a": object()}], "session['x'][0]['a']"),
        (b"bytes", "session['x']"),
        (math.nan, "session['x']"),
        (math.inf, "session['x']"),
        (1e-140, "session['x']"),
        (10**38, "session['x']"),
        ({3: "three"}, "session['x']"),
        ({"": "empty"}, "session['x']"),
        ("\ud800", "session['x']"),
    ],
)
def test_an_invalid_value_is_refused_with_its_path(value: object, path: str) -> None:
    """The TypeError has the path of the value."""
    with pytest.raises(TypeError) as refusal:
        normalize({"x": value})
    assert path in str(refusal.value)


def test_tuples_become_lists() -> None:
    """A tuple is stored as a list, as in JSON."""
    assert normalize({"x": ((1, 2), 3)}) == {"x": [[1, 2], 3]}


def test_data_is_at_most_thirty_deep() -> None:
    """Thirty levels are accepted; thirty-one and a dict that contains itself are refused."""
    value: Any = 1
    for _ in range(29):
        value = [value]
    normalize({"x": value})
    with pytest.raises(TypeError, match="30 deep"):
        normalize({"x": [value]})
    ring: dict[str, Any] = {}
    ring["self"] = ring
    with pytest.raises(TypeError, match="30 deep"):
        normalize({"x": ring})


def nested(levels: int, *kinds: str) -> Any:
    """Return a value with nested containers of `kinds`, the innermost first."""
    value: Any = 1
    for level in range(levels):
        value = [value] if kinds[level % len(kinds)] == "list" else {"k": value}
    return value


@pytest.mark.parametrize("kinds", list(product(("list", "dict"), repeat=3)), ids="-".join)
def test_lists_and_dicts_count_equally_for_the_depth(made: Made, kinds: tuple[str, ...]) -> None:
    """Lists in dicts in lists can be thirty deep including the session, in every store."""
    assert made.manager.load([made.cookie(x=nested(29, *kinds))]) == {"x": nested(29, *kinds)}
    for levels in (30, 31, 45, 59):
        with pytest.raises(TypeError, match="30 deep"):
            made.cookie(x=[nested(levels, *kinds)], y={})


@given(
    st.recursive(
        st.just(1), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=40
    )
)
def test_the_check_of_the_text_agrees_with_the_data(value: Any) -> None:
    """The depth is checked in the JSON text with the same result, also for strings with brackets."""
    for levels in (20, 24, 27, 28, 29, 30):
        data = {"x": [nested(levels, "list", "dict"), value, nested(levels, "dict")]}
        by_text = is_refused(check_depth, encode(data).encode(), data)
        assert by_text == is_refused(refuse_deep, data)


def is_refused(check: Callable[..., None], *arguments: object) -> bool:
    """True when `check` raises."""
    try:
        check(*arguments)
    except TypeError:
        return True
    return False


def test_data_of_thirty_levels_is_loaded(made: Made) -> None:
    """Data at the limit is loaded and can be changed, in every store."""
    value: Any = 1
    for _ in range(29):
        value = [value]
    session = made.manager.load([made.cookie(x=value)])
    assert session == {"x": value}
    session["y"] = value
    assert made.manager.load([value_of(made.manager.commit(session)[0])]) == {"x": value, "y": value}


ALIKE = [
    (1, True),
    (1, 1.0),
    (0, False),
    ([1], [1.0]),
    ({"a": 1}, {"a": True}),
    ({"a": {"b": 1}}, {"a": {"b": True}}),
    ([[1]], [[True]]),
    ({"a": [0]}, {"a": [False]}),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_comparison_is_type_strict(one: object, other: object) -> None:
    """1, 1.0 and True are different values."""
    assert one == other
    assert not same(one, other)


@pytest.mark.parametrize("key", ["_idx", "_secret", "_ttl", "iat", "exp", "_arc_id", "_arc_anything"])
def test_s39_reserved_keys_are_refused_by_name(key: str) -> None:
    """The app cannot store values under reserved keys."""
    with pytest.raises(ValueError, match=key):
        normalize({key: 1})


@pytest.mark.parametrize("key", ["_user_id", "_", "__x", "ttl", "Iat"])
def test_s39_other_underscore_names_work(key: str) -> None:
    """All other names can be used, including those with underscores."""
    assert normalize({key: 1}) == {key: 1}


# -- subclasses of str, int and float


class Role(str, Enum):  # noqa: UP042  # StrEnum gives its value to str(), this does not
    """A subclass of str whose `str()` is something else."""

    ADMIN = "admin"


class Level(IntEnum):
    """A subclass of int."""

    HIGH = 3


class Price(float):
    """A subclass of float with its own conversions."""

    def __float__(self) -> float:
        return -1.0

    def __repr__(self) -> str:
        return "a price"


def test_a_subclass_is_stored_as_its_plain_value(made: Made) -> None:
    """An enum's member is stored as its value, also as a key, in a message and as a principal."""
    session = made.manager.load([])
    session["role"] = Role.ADMIN
    session["levels"] = {Role.ADMIN: [Level.HIGH, Price(9.5)]}
    session.flash(Role.ADMIN, Role.ADMIN)
    session.sign_in(Role.ADMIN)
    value = value_of(made.manager.commit(session)[0])
    again = made.manager.load([value])
    assert same(dict(again), {"role": "admin", "levels": {"admin": [3, 9.5]}})
    assert (again.flashes("admin"), again.user_id) == (["admin"], "admin")
    assert type(again.user_id) is str
    again = made.manager.load([value])
    again["role"] = Role.ADMIN
    again["levels"] = {"admin": (Level.HIGH, Price(9.5))}
    assert made.manager.commit(again) == ()


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_change_of_type_alone_is_saved(made: Made, one: object, other: object) -> None:
    """A nested 1 that becomes True is stored as True."""
    session = made.manager.load([])
    session["x"] = one
    session = made.manager.load([value_of(made.manager.commit(session)[0])])
    session["x"] = other
    again = made.manager.load([value_of(made.manager.commit(session)[0])])
    assert str(again["x"]) == (str(other) if made.manager.store.typed_numbers else str(other).replace("1.0", "1"))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_numbers_that_are_kept(sign: int) -> None:
    """DynamoDB keeps 38 digits, and floats of some sizes; where a store has no limits, Python's text has one."""
    for number in (10**38 - 1, 1e-130, 9.99e125, 0.0):
        assert same(normalize({"x": sign * number}), {"x": sign * number})
    for number in (10**38, math.nextafter(1e-130, 0), math.nextafter(9.99e125, 1e126)):
        assert normalize({"x": sign * number}, bounded=False) == {"x": sign * number}
        with pytest.raises(TypeError, match=r"session\['x'\]"):
            normalize({"x": sign * number})
    assert normalize({"x": sign * (2**13_287 - 1)}, bounded=False) == {"x": sign * (2**13_287 - 1)}
    for beyond in (2**13_287, math.inf):
        with pytest.raises(TypeError, match=r"session\['x'\]"):
            normalize({"x": sign * beyond}, bounded=False)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_not_finite_is_refused_by_its_text(text: str) -> None:
    """The error shows what was read."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        finite(text)
    assert (finite("-0.5"), finite("1e22")) == (-0.5, 1e22)


def test_plain_text_is_refused_by_its_name() -> None:
    """Any valid text passes, and half of a surrogate pair does not."""
    assert plain_text("é🔑", "kind") == "é🔑"
    with pytest.raises(TypeError, match=r"^kind "):
        plain_text("é\ud800", "kind")


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_thirty_levels_of_one_kind_are_normalized(kind: str) -> None:
    """Each level counts once, and one more is refused."""
    assert normalize({"x": nested(29, kind)}) == {"x": nested(29, kind)}
    with pytest.raises(TypeError, match="30 deep"):
        normalize({"x": nested(30, kind)})
