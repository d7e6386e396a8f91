"""Reading an app: its manifest, preferences, `.env` and function configurations, with every fault at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arc.errors import ToolError
from arc.inventory import read
from tests.inventory.writing import app, faults, write

NAMES = json.loads((Path(__file__).parents[1] / "vectors/route-names.json").read_text())


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case["path"])
def test_folders_and_logical_ids_match_architect(case: dict[str, str], tmp_path: Path) -> None:
    """A route has the same source folder and logical ID as in Architect."""
    (route,) = app(tmp_path, f"get {case['path']}").routes
    assert route.folder == tmp_path / "src/http" / case["dir"]
    assert route.logical_id == case["logical"]
    assert route.handler is None


def test_manifest_with_only_a_name_has_defaults(tmp_path: Path) -> None:
    """It has no routes and no tables, and functions have Architect's defaults."""
    inventory = app(tmp_path)
    function = inventory.aws.function
    assert (inventory.app, inventory.routes, inventory.tables, inventory.shared) == ("myapp", (), (), None)
    assert (function.memory, function.timeout, function.storage, function.env) == (1152, 5, 512, True)
    assert function.architecture == "arm64"
    assert inventory.warnings == ()


@pytest.mark.parametrize("names", [["index.py"], ["handler.py", "index.py"], ["lambda.py", "handler.py", "index.py"]])
def test_handler_file_precedence(names: list[str], tmp_path: Path) -> None:
    """lambda.py, handler.py and index.py are handlers, in this order; several are a warning."""
    write(tmp_path, **{f"src/http/get-index/{name}": "" for name in names})
    inventory = app(tmp_path, "get /")
    assert inventory.routes[0].handler == tmp_path / "src/http/get-index" / names[0]
    several = [f"src/http/get-index has {', '.join(names[:-1])} and {names[-1]}. Only {names[0]} is used."]
    assert list(inventory.warnings) == (several if len(names) > 1 else [])


def test_long_route_names_its_folder(tmp_path: Path) -> None:
    """`/path` with `method` and `src` below it is the long form of a route."""
    (route,) = app(tmp_path, "/pay\n  method post\n  src code/pay\n").routes
    assert (route.name, route.folder) == ("post /pay", tmp_path / "code/pay")


@pytest.mark.parametrize(
    ("source", "folder"),
    [(".", ""), ("./", ""), ("/", ""), ("/code/pay", "code/pay"), ("./code/pay/", "code/pay"), ("//code", "code")],
)
def test_route_folder_is_relative_to_the_app(source: str, folder: str, tmp_path: Path) -> None:
    """As in Architect, a leading slash means the app's folder, and so does a dot."""
    (route,) = app(tmp_path, f"/pay\n  method post\n  src {source}\n").routes
    assert route.folder == tmp_path / folder


@pytest.mark.parametrize("source", ["code/lib", "/code/lib", "./code/lib"])
def test_shared_folder_is_relative_to_the_app(source: str, tmp_path: Path) -> None:
    """The path is read like a route's."""
    inventory = app(tmp_path, "get /", f"@shared\nsrc {source}\n", **{"code/lib/words.py": ""})
    assert inventory.shared == tmp_path / "code/lib"


@pytest.mark.parametrize("source", ["..", "../other", "/../other", "code/../../other"])
def test_route_folder_outside_the_app_is_a_fault(source: str, tmp_path: Path) -> None:
    """No code outside the app's folder runs."""
    (message,) = faults(tmp_path, f"@app\nmyapp\n@http\n/pay\n  method post\n  src {source}\n")
    assert "is outside the app" in message


def test_routes_with_the_same_folder_share_a_function(tmp_path: Path) -> None:
    """Its warnings appear once, and each route keeps its logical ID."""
    routes = "/pay\n  method post\n  src code/all\n/a\n  method get\n  src ./code/all\n/\n  method any\n  src code/all"
    files = {"code/all/handler.py": "", "code/all/index.py": "", "code/all/config.arc": "@aws\ntimeout 9\nx 1\n"}
    inventory = app(tmp_path, routes, **files)
    assert {route.name: route.logical_id for route in inventory.routes} == {
        "post /pay": "PostPay",
        "get /a": "GetA",
        "any /": "AnyIndex",
    }
    assert {(route.folder, route.config.timeout) for route in inventory.routes} == {(tmp_path / "code/all", 9)}
    assert len(inventory.warnings) == 2


@pytest.mark.parametrize("routes", ["get /\n/pay\n  method post\n  src {}", "/pay\n  method post\n  src {}\nget /"])
def test_long_route_may_share_the_folder_of_a_short_one(routes: str, tmp_path: Path) -> None:
    """The order does not matter."""
    inventory = app(tmp_path, routes.format("src/http/get-index"))
    assert {route.folder for route in inventory.routes} == {tmp_path / "src/http/get-index"}


def test_config_arc_overrides_aws(tmp_path: Path) -> None:
    """config.arc overrides @aws, which overrides the defaults."""
    inventory = app(
        tmp_path,
        "get /\nget /slow",
        "@aws\nregion eu-west-1\ntimeout 20\nmemory 512\n",
        **{"src___http___get-slow___config__arc": "@aws\ntimeout 90\n\n@arc\nenv false\n"},
    )
    slow, home = sorted(inventory.routes, key=lambda route: route.path, reverse=True)
    assert (home.config.timeout, home.config.memory, home.config.env) == (20, 512, True)
    assert (slow.config.timeout, slow.config.memory, slow.config.env) == (90, 512, False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.arc", "@aws\ntimeout 30\n\n@arc\nenv false\n"),
        (".arc-config", "@aws\ntimeout 30\n\n@arc\nenv false\n"),
        ("arc.json", '{"aws": {"timeout": 30}, "arc": {"env": false}}'),
        ("arc-config.json", '{"aws": [["timeout", 30]], "arc": [["env", false]]}'),
        ("config.yaml", "aws:\n  - timeout: 30\narc:\n  - env: false\n"),
        ("config.yml", "aws:\n  - timeout: 30\narc:\n  - env: false\n"),
        ("arc-config.yaml", "aws:\n  timeout: 30\narc:\n  env: false\n"),
        ("arc-config.yml", "aws:\n  timeout: 30\narc:\n  env: false\n"),
    ],
)
def test_each_name_of_a_function_configuration_is_read(name: str, text: str, tmp_path: Path) -> None:
    """Each is read in its format, and a change of it is a change of the app."""
    inventory = app(tmp_path, "get /", **{f"src/http/get-index/{name}": text})
    (route,) = inventory.routes
    assert (route.config.timeout, route.config.env) == (30, False)
    assert tmp_path / "src/http/get-index" / name in inventory.sources
    assert inventory.warnings == ()


def test_first_function_configuration_is_used(tmp_path: Path) -> None:
    """A warning names the others."""
    files = {"config.arc": "@aws\ntimeout 10\n", "arc.json": '{"aws": {"timeout": 20}}', "config.yml": "aws:\n  x: 1\n"}
    inventory = app(tmp_path, "get /", **{f"src/http/get-index/{name}": text for name, text in files.items()})
    assert inventory.routes[0].config.timeout == 10
    assert inventory.warnings == (
        "src/http/get-index has config.arc, arc.json and config.yml. Only config.arc is used.",
    )


@pytest.mark.parametrize(
    ("runtime", "file"),
    [("nodejs22.x", "index.mjs"), ("node", ""), ("ruby3.3", "lambda.rb"), ("", "index.js"), ("", "handler.ts")],
)
def test_functions_in_other_languages_are_listed_in_a_warning(runtime: str, file: str, tmp_path: Path) -> None:
    """They are recognized by runtime or by their only handler; Python routes are not affected."""
    files = {f"src/http/get-old/{file}": ""} if file else {}
    files |= {"src/http/get-old/config.arc": f"@aws\nruntime {runtime}\n"} if runtime else {}
    files |= {"src/http/get-index/lambda.py": "", "src/http/get-index/client.js": ""}
    inventory = app(tmp_path, "get /\nget /old", **files)
    home, old = inventory.routes
    assert (home.is_python, old.is_python, old.handler) == (True, False, None)
    (warning,) = inventory.warnings
    assert warning == f"The sandbox runs Python only and does not serve get /old ({runtime or file})."


def test_python_function_in_an_app_of_another_language(tmp_path: Path) -> None:
    """The function's runtime overrides that of @aws."""
    inventory = app(
        tmp_path,
        "get /\nget /old\npost /old",
        "@aws\nruntime nodejs22.x\n",
        **{"src/http/get-index/config.arc": "@aws\nruntime python3.12\n", "src/http/get-index/handler.py": ""},
    )
    assert [route.is_python for route in inventory.routes] == [True, False, False]
    assert inventory.warnings == (
        "The sandbox runs Python only and does not serve get /old (nodejs22.x), post /old (nodejs22.x).",
    )


def test_env_file_replaces_testing_preferences(tmp_path: Path) -> None:
    """Values in `.env` are literal, and other environments keep their preferences."""
    preferences = "@env\ntesting\n  A from-prefs\n  B both\nstaging\n  S 00123\n"
    assert app(tmp_path, preferences__arc=preferences).env == {
        "testing": {"A": "from-prefs", "B": "both"},
        "staging": {"S": "00123"},
    }
    text = "A=$HOME ${B}\nC='with # and  spaces'\nD=00123\nexport E=é\n"
    env = app(tmp_path, preferences__arc=preferences, __env=text).env
    assert env["testing"] == {"A": "$HOME ${B}", "C": "with # and  spaces", "D": "00123", "E": "é"}
    assert env["staging"] == {"S": "00123"}


def test_tables_have_keys_ttl_and_indexes(tmp_path: Path) -> None:
    """A session table, and a table with every setting."""
    inventory = app(
        tmp_path,
        rest=(
            "@tables\nsession\n  _idx *String\n  _ttl TTL\norders\n  user *String\n  at **Number\n  stream true\n"
            "  PITR true\n  encrypt true\n\n@tables-indexes\norders\n  at *Number\n  name byTime\n"
        ),
    )
    session, orders = inventory.tables
    assert (session.name, session.partition.name, session.partition.kind, session.ttl) == (
        "session",
        "_idx",
        "String",
        "_ttl",
    )
    assert orders.sort is not None
    assert (orders.sort.name, orders.sort.kind) == ("at", "Number")
    assert (orders.stream, orders.pitr) == (True, True)
    assert [index.name for index in orders.indexes] == ["byTime"]


@pytest.mark.parametrize(
    ("pragma", "says"),
    [
        ("indexes", "@indexes has a new name. Rename it to @tables-indexes."),
        ("tables-streams", "@tables-streams is not supported and has no effect."),
        ("views", "@views is not supported and has no effect."),
        ("bundles", "@bundles is not supported and has no effect."),
        ("streams", "@streams is not supported and has no effect."),
        ("html", "@html is retired and has no effect. Declare its routes in @http."),
        ("json", "@json is retired and has no effect. Declare its routes in @http."),
        ("env", "@env has no effect in the manifest. Move it to preferences.arc, or testing's variables to .env."),
        ("sandbox", "@sandbox has no effect in the manifest. Move it to preferences.arc."),
    ],
)
def test_warning_says_where_a_pragma_belongs(pragma: str, says: str, tmp_path: Path) -> None:
    """Architect's pragmas, old and new, are not treated as misspellings."""
    (warning,) = app(tmp_path, "get /", f"@{pragma}\nget /x\n").warnings
    assert warning.endswith(says)


@pytest.mark.parametrize("line", ["name String", "price Number", "insert Lambda", "deletedAt Boolean", "tags a b"])
def test_attribute_of_a_table_is_ignored_with_a_warning(line: str, tmp_path: Path) -> None:
    """DynamoDB declares only the attributes of keys, and Architect ignores the others."""
    inventory = app(tmp_path, "get /", f"@tables\ncake\n  id *String\n  {line}\n")
    assert [table.partition.name for table in inventory.tables] == ["id"]
    (warning,) = inventory.warnings
    assert warning.startswith(f"app.arc:9: '{line}' below the table 'cake' has no effect.")


FOREIGN = {
    "a key without a value": "@env\nproduction\n  API_KEY\n  REGION us-west-2\n",
    "several words below a key": "@bundles\nprefs\n  types\n    text/css css\n    application/js js mjs\n",
    "four spaces": "@sandbox\nports\n    tables 6799\n",
    "one space": "@mine\nports\n tables 6799\n",
    "braces": "@mine\n{x: 1}\n",
    "a quote that stays open": "@mine\nit's\n",
    "twice": "@mine\na\n\n@mine\nb\n",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_unsupported_pragma_may_have_any_syntax(text: str, tmp_path: Path) -> None:
    """The pragmas after it are read, and its warning is the only one."""
    inventory = app(tmp_path, "get /", f"{text}\n@tables\nt\n  id *String\n")
    assert [table.name for table in inventory.tables] == ["t"]
    (warning,) = inventory.warnings
    assert text.partition("\n")[0] in warning


@pytest.mark.parametrize("name", ["arc.json", "arc.yaml"])
def test_unsupported_pragma_in_json_may_have_any_shape(name: str, tmp_path: Path) -> None:
    """JSON and YAML behave like `.arc` syntax."""
    text = '{"app": "myapp", "http": [["get", "/"]], "mine": {"a": {"b": {"c": [[], null]}}}}'
    (tmp_path / name).write_text(text)
    inventory = read(tmp_path, environ={})
    assert [route.name for route in inventory.routes] == ["get /"]
    assert "@mine" in inventory.warnings[0]


def test_preferences_of_other_tools_may_have_any_syntax(tmp_path: Path) -> None:
    """`@sandbox-start` and similar pragmas contain commands."""
    preferences = "@sandbox-start\nnpx build --watch \\\n   {now}\n\n@env\ntesting\n  A b\n"
    assert app(tmp_path, prefs__arc=preferences).env == {"testing": {"A": "b"}}


def test_quote_from_an_unsupported_into_a_supported_pragma_is_a_fault(tmp_path: Path) -> None:
    """It would hide lines of the supported pragma."""
    assert faults(tmp_path, "@app\nmyapp\n\n@mine\nit's\n\n@http\nget /it's\n")


def test_unsupported_pragma_is_a_warning(tmp_path: Path) -> None:
    """Architect's pragmas and those of plugins are not misspellings of supported ones."""
    inventory = app(tmp_path, "get /", "@events\nhello\n\n@ws\n\n@table-streams\nx\n")
    names = ["events", "ws", "table-streams"]
    endings = [f"@{name} is not supported and has no effect." for name in names]
    assert [warning.partition(": ")[2] for warning in inventory.warnings] == endings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".arc", "@app\nmyapp\n@http\nget /\n"),
        ("arc.json", '{"app": "myapp", "http": [["get", "/"]]}'),
        ("arc.yaml", "app: myapp\nhttp:\n  - get: /\n"),
        ("arc.yml", "app: myapp\nhttp:\n  - get: /\n"),
        ("package.json", '{"name": "x", "arc": {"app": "myapp", "http": [{"get": "/"}]}}'),
        ("package.json", '{"architect": {"app": "myapp", "http": [["get", "/"]]}}'),
    ],
)
def test_every_manifest_file_is_read(name: str, text: str, tmp_path: Path) -> None:
    """The manifest may have any of Architect's names and formats."""
    (tmp_path / name).write_text(text)
    inventory = read(tmp_path, environ={})
    assert (inventory.app, inventory.manifest.name) == ("myapp", name)
    assert [route.name for route in inventory.routes] == ["get /"]


def test_app_arc_takes_precedence(tmp_path: Path) -> None:
    """app.arc comes before all other names."""
    write(tmp_path, app__arc="@app\nfirst\n", arc__json='{"app": "second"}')
    assert read(tmp_path, environ={}).app == "first"


def test_missing_manifest_suggests_arc_init(tmp_path: Path) -> None:
    """An empty folder and a missing one are errors with the command that helps."""
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ToolError, match="arc init"):
            read(folder, environ={})


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    """Five faults of syntax and meaning are five messages with file, line and caret."""
    text = "@app\nMy App\n\n@aws\ntimeout 9999\n\n@http\nget users\nfetch /x\nget /ok\n get /y\n"
    messages = faults(tmp_path, text)
    assert [message.split(" ")[0] for message in messages] == [
        *("app.arc:2:1:", "app.arc:5:9:", "app.arc:8:5:", "app.arc:9:1:", "app.arc:11:2:"),
    ]
    assert all("\n  " in message and "^" in message for message in messages)


def test_fault_causes_no_further_faults(tmp_path: Path) -> None:
    """A name or table that does not parse is not reported as missing."""
    messages = faults(tmp_path, "@app\nmy{app\n@tables\nt\n   id *String\n@tables-indexes\nt\n  at *Number\n")
    assert [message.split(" ")[0] for message in messages] == ["app.arc:2:3:", "app.arc:5:4:"]


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ("get /foo/bar\nget /foo_bar", "'get /foo_bar' has the same logical ID, GetFooBar, as 'get /foo/bar'"),
        ("get /a-b\nget /a.b", "'get /a.b' has the same folder, src/http/get-a_b, as 'get /a-b'"),
        ("get /x\nget /x", "the same requests"),
        ("get /:id\nget /id", "'get /id' has the same logical ID, GetId, as 'get /:id'"),
        ("get x", "slash"),
        ("get /x/", "slash"),
        ("get /a//b", "empty part"),
        ("get /a:b", ":"),
        ("get /*/x", "*"),
        ("get /é", "é"),
        ("get /:a/:a", "a"),
        ("fetch /x", "Unknown HTTP method 'fetch'."),
        ("get", "get"),
        ("get / more", "get"),
    ],
)
def test_invalid_route_is_a_fault(routes: str, says: str, tmp_path: Path) -> None:
    """Invalid paths, and routes that would share a folder or a name, are shown in the message."""
    messages = faults(tmp_path, f"@app\nmyapp\n@http\n{routes}\n")
    assert len(messages) == 1
    assert says in messages[0]


@pytest.mark.parametrize("name", ["1app", "App", "a", "a" * 101, "my app", "ä", "-app"])
def test_invalid_app_name_is_a_fault(name: str, tmp_path: Path) -> None:
    """A name begins with a lowercase letter and has at most 100 letters, digits, `-` and `_`."""
    assert len(faults(tmp_path, f"@app\n{name}\n")) == 1


@pytest.mark.parametrize(
    "aws", ["memory 64", "timeout 0", "timeout 901", "storage 100", "architecture x", "runtime pithon3.12", "timeout x"]
)
def test_setting_beyond_lambda_limits_is_a_fault(aws: str, tmp_path: Path) -> None:
    """Values that Lambda would refuse at deployment are faults."""
    assert len(faults(tmp_path, f"@app\nmyapp\n@aws\n{aws}\n")) == 1


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.9", "3.10"])
def test_old_python_is_a_fault(version: str, tmp_path: Path) -> None:
    """The message says that the version is too old, not that it is unknown."""
    (message,) = faults(tmp_path, f"@app\nmyapp\n@aws\nruntime python{version}\n")
    assert "Unknown runtime" not in message
    assert f"Python {version} is too old: arc-sessions needs Python 3.11 or newer." in message
    assert "Write a version such as python3.13" in message


@pytest.mark.parametrize("runtime", ["python3.15", "python3.99", "nodejs99.x", "Nodejs22.x", "python4.0", "x"])
def test_unknown_runtime_lists_valid_ones(runtime: str, tmp_path: Path) -> None:
    """Python's versions come first. In an app with plugins, other runtimes are accepted."""
    text = f"@app\nmyapp\n@aws\nruntime {runtime}\n"
    (message,) = faults(tmp_path, text)
    assert f"Unknown runtime '{runtime}'." in message
    assert "Choose python, python3.11, python3.12, python3.13 or python3.14. Other languages have " in message
    assert "nodejs22.x" in message
    assert len(faults(tmp_path, f"{text}@plugins\nsome/plugin\n")) == runtime.startswith("python")


@pytest.mark.parametrize("word", ["python", "Python", "py", "python3.11", "python3.14", "nodejs18.x", ".NET", "deno"])
def test_runtimes_of_lambda_and_architect_are_valid(word: str, tmp_path: Path) -> None:
    """Short words may have any case, and retired runtimes are accepted."""
    assert faults(tmp_path, f"@app\nmyapp\n@aws\nruntime {word}\n") == []


def test_faults_in_preferences_and_env_hide_values(tmp_path: Path) -> None:
    """Both files contain secrets, so messages do not quote their lines."""
    messages = faults(
        tmp_path,
        "@app\nmyapp\n",
        prefs__arc=(
            '@env\ntesting\n  SECRET hidden{value\n 1X hidden\n  B\n    hidden two\n  C "x\nhidden"y\n@hidden{\n'
        ),
        __env="=hidden\n=hidden\n",
    )
    assert len(messages) >= 6
    assert not any("hidden" in message for message in messages)
