"""The modules of an `App`: its functions, other apps and the tests do not get each other's."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from arc.errors import ToolError
from arc.testing import App
from tests.tools.sandbox.apps import says, write_app

SHOWS_WHERE = """
    import where

    def handler(event, context):
        import late
        return {"statusCode": 200, "body": f"{__name__} {where.PLACE} {late.PLACE}"}
"""
SHOWS_SHARED = """
    import vendor.shared.name

    def handler(event, context):
        from shared import name as other
        return {"statusCode": 200, "body": f"{vendor.shared.name.NAME} {other.NAME}"}
"""


def app_named(folder: Path, name: str) -> Path:
    """An app with two functions, each with modules of the same names, and shared code with this name."""
    write_app(folder, {"get /a": SHOWS_WHERE, "get /b": SHOWS_WHERE, "get /shared": SHOWS_SHARED})
    for function in ("a", "b"):
        for module in ("where", "late"):
            (folder / f"src/http/get-{function}/{module}.py").write_text(f"PLACE = {name + function!r}\n")
    (folder / "src/shared").mkdir(parents=True)
    (folder / "src/shared/name.py").write_text(f"NAME = {name!r}\n")
    return folder


def test_two_apps_and_their_functions_have_modules_of_their_own(tmp_path: Path) -> None:
    """Modules of the same names are each function's own, at import and later, in turn and at once."""
    with App(app_named(tmp_path / "one", "one")) as one, App(app_named(tmp_path / "two", "two")) as two:
        for _ in range(2):
            for app, name in ((one, "one"), (two, "two")):
                browser = app.browser()
                for function in ("a", "b"):
                    assert browser.get(f"/{function}").text == f"handler {name}{function} {name}{function}"
                assert browser.get("/shared").text == f"{name} {name}"


def test_process_is_as_before_when_an_app_is_closed(tmp_path: Path) -> None:
    """Its modules and import hooks are gone, and no bytecode was written."""
    path = app_named(tmp_path, "one")
    before = set(sys.modules), sys.path[:], sys.meta_path[:], sys.path_hooks[:]
    with App(path) as app:
        app.browser().get("/a")
        app.browser().get("/shared")
        assert not {"handler", "where", "vendor", "vendor.shared", "shared"} & sys.modules.keys()
    after = {name for name in sys.modules if not name.startswith("arc.")}
    assert (after <= before[0], sys.path, sys.meta_path, sys.path_hooks) == (True, *before[1:])
    assert list(tmp_path.rglob("__pycache__")) == []


def test_modules_of_the_tests_are_not_the_functions(tmp_path: Path) -> None:
    """A test's own `where` and `vendor` are hidden from a function and there afterwards."""
    path = app_named(tmp_path, "one")
    mine = {name: type(sys)(name) for name in ("where", "vendor", "shared")}
    sys.modules.update(mine)
    try:
        with App(path) as app:
            assert app.browser().get("/a").text == "handler onea onea"
            assert app.browser().get("/shared").text == "one one"
            assert {name: sys.modules.get(name) for name in mine} == mine
    finally:
        for name in mine:
            del sys.modules[name]


def test_module_of_the_root_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runner puts the app's folder on the import path, where a deployed function finds nothing."""
    write_app(tmp_path, {"get /": "import beside_the_manifest"}, {"beside_the_manifest.py": ""})
    monkeypatch.syspath_prepend(tmp_path)
    with App(tmp_path) as app, pytest.raises(ModuleNotFoundError, match="beside_the_manifest"):
        app.browser().get("/")


def test_function_without_shared_code_cannot_import_it(tmp_path: Path) -> None:
    """Its `config.arc` excludes the shared code, as when it is deployed."""
    path = app_named(tmp_path, "one")
    (path / "src/http/get-shared/config.arc").write_text("@arc\nshared false\n")
    with App(path) as app, pytest.raises(ModuleNotFoundError, match="vendor"):
        app.browser().get("/shared")


def test_functions_of_an_app_share_modules_that_a_test_can_change(tmp_path: Path) -> None:
    """What a test changes in a shared module is changed for every function of this App, and no other."""
    handler = """
        from vendor.shared import mail

        def handler(event, context):
            return {"statusCode": 200, "body": mail.SENDER}
    """
    write_app(tmp_path, {"get /a": handler, "get /b": handler}, {"src/shared/mail.py": "SENDER = 'us'\n"})
    with App(tmp_path) as app, App(tmp_path) as other:
        assert app.browser().get("/a").text == "us"
        vars(app.module("vendor.shared.mail"))["SENDER"] = "you"
        assert [app.browser().get(path).text for path in ("/a", "/b")] == ["you", "you"]
        assert other.browser().get("/a").text == "us"


def test_module_of_a_function_is_the_one_that_its_requests_use(tmp_path: Path) -> None:
    """`module` with a route returns the handler's module, or one beside it."""
    write_app(tmp_path, {"get /a": says("a"), "get /B": says("b")}, {"src/http/get-B/beside.py": "X = 1\n"})
    with App(tmp_path) as app:
        assert app.module("handler", route="get /B").handler({}, None)["body"] == "b"
        assert app.module("beside", route="GET  /B").X == 1
        with pytest.raises(ModuleNotFoundError, match="beside"):
            app.module("beside", route="get /a")
        with pytest.raises(ToolError, match=r"^Unknown route 'get /c'\. The manifest has get /B, get /a\.$"):
            app.module("handler", route="get /c")


def test_app_without_routes_has_no_function_to_run_inside(tmp_path: Path) -> None:
    """Its browsers find nothing, and the error says what is missing."""
    write_app(tmp_path, {})
    with App(tmp_path) as app:
        assert app.browser().get("/").status == 404
        with pytest.raises(
            ToolError, match=r"^The app has no functions yet\. Add a route below @http in its manifest\.$"
        ):
            app.module("vendor.shared")


def test_test_can_run_inside_a_function(tmp_path: Path) -> None:
    """Its variables and imports are there until the block ends, for calls of what `module` returned too."""
    late = """
        def handler(event, context):
            from vendor.shared.name import NAME
            return {"statusCode": 200, "body": NAME}
    """
    write_app(tmp_path, {"get /a": late}, {"src/shared/name.py": "NAME = 'one'\n", ".env": "GREETING=hello\n"})
    with App(tmp_path) as app:
        handler = app.module("handler", route="get /a").handler
        with pytest.raises(ModuleNotFoundError, match="vendor"):
            handler({}, None)
        with app.inside("get /a"):
            assert (handler({}, None)["body"], os.environ["GREETING"]) == ("one", "hello")
        assert "GREETING" not in os.environ


def test_function_may_run_while_another_one_does(tmp_path: Path) -> None:
    """A request inside a request gets its own modules, and the outer one has its own again afterwards."""
    calls = """
        import vendor.shared.name

        calls = []

        def handler(event, context):
            inside = [call() for call in calls]
            import where
            from vendor.shared import name
            return {"statusCode": 200, "body": f"{inside} in {where.PLACE} of {name.NAME}"}
    """
    one, two = app_named(tmp_path / "one", "one"), app_named(tmp_path / "two", "two")
    write_app(tmp_path / "bare", {"get /": "import vendor.shared"})
    (one / "src/http/get-a/handler.py").write_text(dedent(calls))
    with App(one) as outer, App(two) as inner, App(tmp_path / "bare") as bare:
        calls_of_outer = outer.module("handler", route="get /a").calls
        calls_of_outer += [lambda path=path: inner.browser().get(path).text for path in ("/a", "/shared")]
        assert outer.browser().get("/a").text == "['handler twoa twoa', 'two two'] in onea of one"
        calls_of_outer[:] = [lambda: outer.browser().get("/shared").text]
        assert outer.browser().get("/a").text == "['one one'] in onea of one"
        calls_of_outer[:] = [lambda: bare.browser().get("/").text]
        with pytest.raises(ModuleNotFoundError, match="vendor"):
            outer.browser().get("/a")
        calls_of_outer.clear()
        assert outer.browser().get("/a").text == "[] in onea of one"


def test_linked_folders_have_modules_of_their_own(tmp_path: Path) -> None:
    """A function's folder and the shared code may be links within the app."""
    path = app_named(tmp_path / "one", "one")
    for folder in ("src/http/get-a", "src/shared"):
        (path / folder).rename(path / Path(folder).name)
        (path / folder).symlink_to(path / Path(folder).name)
    with App(path) as app:
        assert app.browser().get("/a").text == "handler onea onea"
        assert app.browser().get("/shared").text == "one one"
        assert not {"handler", "where", "late", "vendor.shared", "shared"} & sys.modules.keys()


def test_installed_package_below_a_function_stays_everyones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route's folder may be the app's, with an environment in it; what is in its `vendor` is the function's own."""
    packages = {".venv/site-packages/for_all_apps.py": "", "vendor/for_one_function.py": ""}
    write_app(tmp_path, {"get /other": "import for_one_function"}, packages)
    (tmp_path / "handler.py").write_text(f"import for_all_apps, for_one_function\n{says('both')}")
    with (tmp_path / "app.arc").open("a") as manifest:
        manifest.write("/\n  method get\n  src .\n")
    monkeypatch.syspath_prepend(tmp_path / ".venv/site-packages")
    with App(tmp_path) as app:
        assert app.browser().get("/").text == "both"
        assert "for_one_function" not in sys.modules
        with pytest.raises(ModuleNotFoundError, match="for_one_function"):
            app.browser().get("/other")
    assert sys.modules.pop("for_all_apps", None) is not None


def test_path_that_a_handler_adds_stays_its_own(tmp_path: Path) -> None:
    """It finds modules there at a later request too, and no one else does."""
    code = """
        import sys
        from pathlib import Path

        sys.path.append(str(Path(__file__).parent / "more"))

        def handler(event, context):
            import extra
            return {"statusCode": 200, "body": extra.X}
    """
    write_app(
        tmp_path, {"get /": code, "get /other": "import extra"}, {"src/http/get-index/more/extra.py": "X = 'x'\n"}
    )
    with App(tmp_path) as app:
        assert [app.browser().get("/").text for _ in range(2)] == ["x", "x"]
        with pytest.raises(ModuleNotFoundError, match="extra"):
            app.browser().get("/other")
    assert "extra" not in sys.modules
