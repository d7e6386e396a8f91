"""The JSON text of a session's data, by the standard library alone and with orjson."""

from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arc.sessions import text
from arc.sessions.values import normalize
from tests.sessions.any_change import Size
from tests.sessions.speeds import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

RING: dict[str, Any] = {}
RING["self"] = RING


def deep(levels: int) -> Any:
    """Lists within lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.fixture(params=["json", "orjson"])
def speed(request: pytest.FixtureRequest) -> Iterator[bool]:
    """The module with and without orjson."""
    with loaded(speed=request.param == "orjson"):
        yield request.param == "orjson"


@pytest.fixture
def plain() -> Iterator[None]:
    """The module without orjson."""
    with loaded(speed=False):
        yield


@pytest.fixture
def fast() -> Iterator[None]:
    """The module with orjson."""
    with loaded(speed=True):
        yield


# -- making text


@pytest.mark.parametrize("has_c", [True, False])
def test_json_without_spaces_whatever_the_interpreter_has(has_c: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without the C encoder makes the same text and refuses the same data."""
    if not has_c:
        monkeypatch.setattr(text, "_json", None)
    data = {"b": [1, 2.5, None, True, "é🔑"], "a": {}}
    assert text.encoder()(data) == '{"b":[1,2.5,null,true,"é🔑"],"a":{}}'
    assert text.encoder(ascii_only=True)(data) == '{"b":[1,2.5,null,true,"\\u00e9\\ud83d\\udd11"],"a":{}}'
    assert text.encoder(default=list)({"a": {1}}) == '{"a":[1]}'
    for encode in (text.encoder(), text.encoder(ascii_only=True), text.encoder(rings=True)):
        with pytest.raises(ValueError, match="Out of range"):
            encode({"a": math.nan})
        with pytest.raises(TypeError, match="set"):
            encode({"a": {1}})
        with pytest.raises(TypeError, match="keys must be"):
            encode({(1, 2): 3})
    with pytest.raises(ValueError, match="Circular"):
        text.encoder(rings=True)(RING)


@pytest.mark.usefixtures("plain")
def test_a_container_within_itself_exhausts_an_encoder_that_does_not_look_for_rings() -> None:
    """Looking for rings costs time at every container."""
    with pytest.raises(RecursionError):
        text.encoder()(RING)


@pytest.mark.parametrize("rings", [False, True])
def test_much_data_is_one_text(rings: bool) -> None:
    """The C encoder hands over more than a hundred thousand pieces in several parts."""
    data = list(range(150_000))
    assert text.encoder(rings=rings)(data) == json.dumps(data, separators=(",", ":"))


def test_data_is_encoded_with_and_without_orjson(speed: bool) -> None:
    """Integers of any size and half a surrogate pair have the same text; NaN, which orjson writes as null, has not."""
    data = {"a": [1, 2**70, "é"], "b": "\ud83d"}
    assert text.encode(data) == '{"a":[1,1180591620717411303424,"é"],"b":"\ud83d"}'
    if speed:
        assert text.encode({"a": math.nan}) == '{"a":null}'
    else:
        with pytest.raises(ValueError, match="Out of range"):
            text.encode({"a": math.nan})


@pytest.mark.usefixtures("speed")
def test_what_json_does_not_have_is_refused_with_and_without_orjson() -> None:
    """A date, which orjson could write, is not one of the values of a session."""
    for value in (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), {1}, b"bytes"):
        with pytest.raises(TypeError):
            text.encode({"a": value})
    with pytest.raises((ValueError, RecursionError)):
        text.encode(RING)


# -- reading text


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ('{"a":[1,-2.5,null]}', {"a": [1, -2.5, None]}),
        ("[1180591620717411303424,-99999999999999999999]", [2**70, -99999999999999999999]),
        ('["\ud83d"]', ["\ud83d"]),
        ('["\\ud83d"]', ["\ud83d"]),
        ('["1e999",1e30]', ["1e999", 1e30]),
    ],
)
@pytest.mark.usefixtures("speed")
def test_own_text_is_read_exactly_with_and_without_orjson(written: str, data: object) -> None:
    """Integers over 64 bits stay integers, and half a surrogate pair stays as it is."""
    assert text.decode_own(written, written.encode(errors="surrogatepass")) == data
    assert text.decode(written) == data


@pytest.mark.parametrize(
    "written",
    ["", "nonsense", "{} {}", "[1],", "[1", "NaN", "[1e999]", "[-1E+400]", "[Infinity]", f"[{'9' * 310}.5]"],
)
@pytest.mark.usefixtures("speed")
def test_what_is_no_json_value_is_refused_with_and_without_orjson(written: str) -> None:
    """Nor is what goes on after one, and a number that would be infinite."""
    for decode in (lambda written: text.decode_own(written, written.encode()), text.decode):
        with pytest.raises(ValueError):  # noqa: PT011  # the message is that of one of several parsers
            decode(written)


def test_a_scanner_finds_all_that_it_reads_of_a_decoder() -> None:
    """What a newer Python adds to its decoder has to be added to our rules."""
    parts_in_python = {"memo", "parse_object", "parse_array", "parse_string", "scan_once"}
    rules = text._Rules()
    assert [name for name in vars(json.JSONDecoder()).keys() - parts_in_python if not hasattr(rules, name)] == []


def test_invalid_text_is_refused_in_a_process_that_has_not_imported_json() -> None:
    """The C part of Python 3.11 looks up its error in json, which this library does not import."""
    program = f"""
import sys
sys.path.insert(0, {str(Path(text.__file__).parents[2])!r})
from arc.sessions.text import decode, decode_own
assert "json" not in sys.modules
for invalid in ("{{", "[1,", "nul", '"a', "[1e999]", '{{"a" 1}}', '{{"a":1,}}', '"\x01"', "[", "NaN", ""):
    for name in ("json", "json.decoder"):
        sys.modules.pop(name, None)
    for parse in (decode, lambda text: decode_own(text, text.encode())):
        try:
            parse(invalid)
        except ValueError:
            print("refused")
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["refused"] * 22, "")


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("written", "by_orjson"),
    [
        ('{"a":1}', True),
        ("[123456789012345678]", True),
        ("[1234567890123456789]", False),
        ("[-9087654321098765432]", False),
        ("[1e22,1E-300,1e-7]", True),
        ("[1e300]", False),
        ("[2E999]", False),
        ("[7e+250]", False),
        ("[1e2]", True),
        ("[1E+22]", False),
        ('["\ud83d"]', True),
    ],
)
def test_numbers_that_orjson_would_change_are_left_to_the_standard_library(
    monkeypatch: pytest.MonkeyPatch, written: str, by_orjson: bool
) -> None:
    """It makes floats of integers over 64 bits, and reads what is too large as infinite."""
    asked: list[str] = []

    def loads(raw: bytes) -> object:
        asked.append(raw.decode(errors="surrogatepass"))
        return "by orjson"

    monkeypatch.setattr(text, "orjson", SimpleNamespace(loads=loads))
    try:
        found = text.decode_own(written, written.encode(errors="surrogatepass"))
    except ValueError:
        found = None
    assert (found == "by orjson", asked) == (by_orjson, [written] if by_orjson else [])


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("written", "data", "expected"),
    [
        ('{"a":1}', {"a": 1}, True),
        ('{"a":[1]}', {"a": (1,)}, True),
        ('{"a":null}', {"a": math.nan}, False),
        ('{"a":[null]}', {"a": (math.inf,)}, False),
        ('{"a":[1]}', {"a": (2,)}, False),
        ('{"a":1}', {"a": {1}}, False),
    ],
)
def test_text_represents_data_when_nothing_else_would_be_read(
    written: str, data: dict[str, Any], expected: bool
) -> None:
    """A tuple is not a list, but its text stands for it; null does not stand for NaN."""
    assert text.represents(written, data) is expected


@pytest.mark.usefixtures("plain")
def test_text_of_the_standard_library_represents_its_data() -> None:
    """What it cannot write it refuses, so that nothing is compared."""
    assert text.represents("", {"a": 1})


# -- what a session stores


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, True),
        ({"a": {"b": [1, -2.5, "é🔑", None, True]}, "line 2 of": {"c": "1"}}, True),
        ({"a": (1, "x", (2,))}, True),
        ({"null": 1}, False),
        ({"line2": 1}, False),
        ({"a": {3: "three"}}, False),
        ({"a": [{2.5: 1}]}, False),
        ({"a": {1e300: 1}}, False),
        ({"a": {None: 1}}, False),
        ({"a": {True: 1}}, False),
        ({"a": {False: 1}}, False),
        ({"a": {"": 1}}, False),
        ({"iat": 1}, False),
        ({"_arc_id": 1}, False),
        ({"a": "\ud83d"}, False),
        ({"a": deep(29)}, True),
        ({"a": deep(30)}, False),
    ],
)
@pytest.mark.usefixtures("plain")
def test_storable_text_is_all_that_is_stored(data: dict[str, Any], expected: bool) -> None:
    """Text that could also be that of other keys than strings is not certain."""
    written = text.encode(data)
    assert text.is_storable(written, data) is expected
    if expected:
        assert json.loads(written) == normalize(data, bounded=False)


@pytest.mark.usefixtures("fast")
def test_text_of_orjson_is_decoded_to_be_certain() -> None:
    """It also writes NaN, enums and UUIDs, which a session cannot store."""
    for value in (math.nan, Size.LARGE, uuid.UUID(int=1), (1, 2)):
        assert text.is_storable(text.encode({"a": [value]}), {"a": [value]}) is False
    assert text.is_storable('{"a":[1,"x",null]}', {"a": [1, "x", None]})


class Word(str):
    """A subclass of str."""

    __slots__ = ()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
    | st.text("ab\ud83d{[", max_size=3).map(Word),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(
            st.text(max_size=3) | st.integers() | st.floats(allow_nan=False) | st.sampled_from([None, True, Word("w")]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=3), ANYTHING, max_size=3))
@pytest.mark.usefixtures("speed")
def test_storable_text_is_that_of_the_normalized_data(data: dict[str, Any]) -> None:
    """What `normalize` refuses is never certain, and what is certain has the text of the normalized data."""
    try:
        written = text.encode(data)
    except (TypeError, ValueError):
        return
    if text.is_storable(written, data):
        assert written == text.encode(normalize(data, bounded=False))


# -- copies


@pytest.mark.usefixtures("speed")
def test_a_copy_by_text_is_equal_and_shares_nothing() -> None:
    """Whatever the store's limits on numbers, as long as the data is within them."""
    data = {"a": {"b": [1, 2.5, "é"]}, "c": None}
    for bounded in (False, True):
        copy = text.copy_via_text(data, text.encode(data), bounded=bounded)
        assert copy == data
        assert copy is not None
        assert copy["a"]["b"] is not data["a"]["b"]  # type: ignore[index]


@pytest.mark.parametrize(
    "data",
    [
        {"a": (1, 2)},
        {"a": {3: "three"}},
        {"a": {"": 1}},
        {"": 1},
        {"iat": 1},
        {"_arc_id": 1},
        {"a": deep(30), "b": [[], {}]},
    ],
)
@pytest.mark.usefixtures("speed")
def test_what_a_session_may_not_hold_has_no_copy_by_text(data: dict[str, Any]) -> None:
    """Nor has what JSON changes; `normalize` says then what is to become of it."""
    for bounded in (False, True):
        assert text.copy_via_text(data, text.encode(data), bounded=bounded) is None


@pytest.mark.usefixtures("speed")
def test_a_copy_by_text_has_numbers_within_the_limits_of_the_store() -> None:
    """A sealed session keeps larger numbers than a table does."""
    for number in (10**38, -(10**38), 1e126, 1e-131):
        data = {"a": number}
        assert text.copy_via_text(data, text.encode(data), bounded=False) == data
        assert text.copy_via_text(data, text.encode(data), bounded=True) is None
    for number in (10**38 - 1, 1 - 10**38, 9.99e125, 1e-130):
        data = {"a": number}
        assert text.copy_via_text(data, text.encode(data), bounded=True) == data


@pytest.mark.usefixtures("speed")
def test_brackets_within_text_are_no_depth() -> None:
    """A text of many brackets, with quotes and backslashes among them, is copied as any other."""
    data = {"a": '{[\\"' * 40, "b": ["]"]}
    assert text.copy_via_text(data, text.encode(data), bounded=True) == data


# -- depth


SHALLOW: dict[str, Any] = {
    "few": {"a": [1]},
    "lists": {"a": [[] for _ in range(100)]},
    "dicts": {"a": [{"b": 1} for _ in range(100)]},
    "both kinds, thirty deep": {"a": [[{"k": [{}]}] for _ in range(100)]},
}


@pytest.mark.parametrize("data", SHALLOW.values(), ids=SHALLOW)
def test_shallow_data_is_not_walked(monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]) -> None:
    """Its text shows that it is not too deep."""
    walked: list[dict[str, Any]] = []
    monkeypatch.setattr(text, "refuse_deep", walked.append)
    text.check_depth(text.encode(data).encode(), data)
    assert walked == []


@pytest.mark.usefixtures("speed")
def test_data_whose_text_has_few_brackets_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty opening brackets, wherever they are, cannot be too deep."""
    walked: list[dict[str, Any]] = []
    monkeypatch.setattr(text, "refuse_deep", walked.append)
    for brackets, walks in ((29, 0), (30, 1)):
        data = {"a": '\\"' + "[" * brackets}
        assert text.decode_own(text.encode(data), text.encode(data).encode()) == data
        assert len(walked) == walks
        assert text.copy_via_text(data, text.encode(data), bounded=True) == data
        assert len(walked) == 2 * walks


def test_data_whose_text_does_not_show_its_depth_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of it, for brackets within a text look like containers."""
    walked: list[dict[str, Any]] = []
    monkeypatch.setattr(text, "refuse_deep", walked.append)
    data = {"a": '\\"' + "[" * 59}
    text.check_depth(text.encode(data).encode(), data, {})
    assert walked == [data, {}]
