"""Any content of an app's files, and any request path, is handled without a crash."""

from __future__ import annotations

import json
import string
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from arc.errors import ArcError, InventoryError
from arc.inventory import Inventory, Route, match, read
from arc.inventory.function_config import FunctionConfig
from arc.inventory.routes import specificity

WORDS = (
    *("@app", "@aws", "@http", "@shared", "@tables", "@tables-indexes", "@env", "@arc", "@sandbox", "@events"),
    *("myapp", "get", "any", "/", "/:id", "/files/*", "timeout", "layer", "src", "method", "testing", "true", "-1"),
    *("*String", "**Number", "TTL", '"', '\\"', "{", "#", "é", "\t", "  ", "\n", "\n  ", "\n    ", "\r\n", " "),
)
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=40).map("".join)
PARTS = st.sampled_from(["a", "b", "a.b", ":x", ":y"])
ODD = st.text(alphabet="ab/.%2Fxy:*\N{LATIN SMALL LETTER E WITH ACUTE}\x00", max_size=6)
SENT = st.lists(st.sampled_from(["a", "b", "a.b", "c"]) | ODD, max_size=4).map("/".join)


def outcome(files: dict[str, str]) -> Inventory | ArcError:
    """Return the inventory of an app with these files, or the `ArcError`; other exceptions are raised."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", errors="replace")
        try:
            return read(root, environ={})
        except ArcError as error:
            return error


def route(method: str, parts: list[str]) -> Route:
    """Return a route of these parts, without files."""
    path = "/" + "/".join(parts)
    return Route(method, path, Path("src"), "Id", None, FunctionConfig())


@given(manifest=TEXTS, config=TEXTS, preferences=TEXTS, env=TEXTS)
def test_any_text_is_an_inventory_or_faults(manifest: str, config: str, preferences: str, env: str) -> None:
    """Only documented errors are raised, each with a place and a hint."""
    found = outcome(
        {
            "app.arc": f"@app\nmyapp\n@http\nget /\n{manifest}",
            "src/http/get-index/config.arc": config,
            "prefs.arc": preferences,
            ".env": env,
        }
    )
    if isinstance(found, InventoryError):
        assert found.faults
        assert all(str(fault).strip() for fault in found.faults)
    else:
        assert isinstance(found, Inventory), found


@given(
    st.dictionaries(
        st.sampled_from(["app", "aws", "http", "tables", "tables-indexes", "shared"]) | st.text(max_size=3),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS) | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_any_json_is_an_inventory_or_faults(data: dict[str, object]) -> None:
    """JSON of any shape in arc.json, and the same text as YAML, never crashes the reader."""
    for name in ("arc.json", "arc.yaml"):
        found = outcome({name: json.dumps(data)})
        assert isinstance(found, (Inventory, ArcError))


@settings(max_examples=3 * settings().max_examples)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["get", "any"]),
            st.lists(PARTS, max_size=3, unique=True),
            st.booleans(),
        ),
        max_size=8,
    ),
    SENT,
)
@example([("get", ["a"], True), ("get", [":x", "b"], False)], "a/b")  # a static part first, but a catch-all
@example([("any", ["a", "b"], False), ("get", ["a", ":x"], False)], "a/b")
@example([("any", ["a"], False), ("get", ["a"], False)], "a")
def test_matching_follows_the_documented_order(lines: list[tuple[str, list[str], bool]], sent: str) -> None:
    """The match is the first route that fits, and its parameters put back into the route give the path."""
    routes = sorted((route(verb, [*parts, *["*"] * greedy]) for verb, parts, greedy in lines), key=specificity)
    path = f"/{sent}"
    found = match(routes, "GET", path)
    alone = [each for each in routes if match([each], "GET", path)]
    assert (found[0] if found else None) == (alone[0] if alone else None)
    if found and "%" not in sent:
        chosen, parameters = found
        values = {"*": parameters.get("proxy", ""), **{f":{name}": value for name, value in parameters.items()}}
        filled = [values.get(part, part) for part in chosen.parts]
        assert "/" + "/".join(filled) == path
    if found and found[0].parts[-1:] == ("*",):
        assert not any("*" not in each.parts for each in alone), "a catch-all before a full match"


@given(st.text(alphabet=string.ascii_letters + "/.%", max_size=8))
def test_path_without_leading_slash_matches_no_route(sent: str) -> None:
    """HTTP also allows `*` and an authority as request targets."""
    if not sent.startswith("/"):
        assert match([route("any", ["*"])], "GET", sent) is None
