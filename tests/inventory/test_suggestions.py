"""A fault in a manifest says what was probably meant, and one mistake is one fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from arc.errors import InventoryError
from arc.inventory import read
from tests.inventory.writing import app, faults, write


def fault(folder: Path, text: str) -> str:
    """Return the only fault of an app with these lines."""
    (message,) = faults(folder, f"@app\nmyapp\n{text}")
    return message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/a/{id}", "/a/:id"),
        ("/a/<id>", "/a/:id"),
        ("/a/<int:id>/edit", "/a/:id/edit"),
        ("/a/{id:int}", "/a/:id"),
        ("/a/[id]", "/a/:id"),
        ("/a/${id}", "/a/:id"),
        ("/{shop}/<item>", "/:shop/:item"),
        ("/files/{proxy+}", "/files/*"),
        ("/files/<path:rest>", "/files/*"),
        ("/files/{rest:path}", "/files/*"),
        ("/files/[...rest]", "/files/*"),
        ("/files/:rest*", "/files/*"),
        ("/files/**", "/files/*"),
        ("/a/", "/a"),
        ("a", "/a"),
        ("a/{id}", "/a/:id"),
        ("//a//b", "/a/b"),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_path_in_the_syntax_of_another_framework_is_translated(
    written: str, meant: str, quote: str, tmp_path: Path
) -> None:
    """The hint is the whole path, with and without quotes."""
    message = fault(tmp_path, f"@http\nget {quote}{written}{quote}\n")
    assert message.endswith(f"Write {meant}.")


def test_path_without_a_translation_has_a_general_hint(tmp_path: Path) -> None:
    """A suggestion is a valid path."""
    assert fault(tmp_path, "@http\nget /a{b\n").endswith("Put the whole value in quotes, or remove the character.")
    assert fault(tmp_path, '@http\nget "/a b"\n').endswith("Use letters, digits and - : . _ * between the slashes.")
    assert fault(tmp_path, "@tables\nx{y}\n  id *\n").endswith(
        "Put the whole value in quotes, or remove the character."
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("My Blog", "my-blog"),
        ('"My Blog"', "my-blog"),
        ("MyBlog", "my-blog"),
        ("Über_uns", "uber_uns"),
    ],
)
def test_invalid_app_name_has_a_suggestion(written: str, meant: str, tmp_path: Path) -> None:
    """The suggested name is valid."""
    (message,) = faults(tmp_path, f"@app\n{written}\n@http\nget /\n")
    assert f"{written.strip(chr(34))!r} is not a valid app name." in message
    assert f"Write {meant}. Use 2 to 100 letters" in message
    assert faults(tmp_path, f"@app\n{meant}\n@http\nget /\n") == []


def test_app_name_without_usable_letters_has_no_suggestion(tmp_path: Path) -> None:
    """The message states only which names are valid."""
    (message,) = faults(tmp_path, "@app\nx\n@http\nget /\n")
    assert "'x' is not a valid app name." in message
    assert "Write" not in message
    assert "Use 2 to 100 letters" in message


@pytest.mark.parametrize(
    ("written", "meant"),
    [("@htpp", "@http"), ("@HTTP", "@http"), ("@table", "@tables"), ("@tablez", "@tables"), ("@asw", "@aws")],
)
def test_misspelled_pragma_is_a_fault(written: str, meant: str, tmp_path: Path) -> None:
    """Its lines would have no effect. They cause no further fault."""
    message = fault(tmp_path, f"{written}\nget /{{id}}\n")
    assert f"Unknown pragma {written}." in message
    assert message.endswith(f"Did you mean '{meant}'?")


def test_misspelled_app_is_one_fault(tmp_path: Path) -> None:
    """That @app is missing follows from it."""
    (message,) = faults(tmp_path, "@ap\nmyapp\n@http\nget /\n")
    assert message.endswith("Did you mean '@app'?")


def test_similar_pragma_of_a_plugin_is_a_warning(tmp_path: Path) -> None:
    """An app with @plugins may have pragmas of any name."""
    (_, warning) = app(tmp_path, "get /", "@plugins\nsome/plugin\n@https\nx\n").warnings
    assert warning.endswith("@https is not supported and has no effect. Did you mean '@http'?")


@pytest.mark.parametrize("line", ["http", "get /", "tables"])
def test_pragma_without_its_sign_has_a_suggestion(line: str, tmp_path: Path) -> None:
    """The line would be a second name of the app."""
    (message,) = faults(tmp_path, f"@app\nmyapp\n{line}\nget /\n")
    meant = "@http, and below it the routes" if line.startswith("get") else f"@{line}"
    assert message.startswith("app.arc:3:1: ")
    assert message.endswith(f"Write {meant}.")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("region eu-wst-1", "'eu-west-1'"),
        ("region us-east1", "'us-east-1'"),
        ("region EU-West-1", "'eu-west-1'"),
        ("region eu_central_1", "'eu-central-1'"),
        ("region us-east-1a", "'us-east-1'"),
        ("region frankfurt", "'eu-central-1'"),
        ("architecture arm", "'arm64'"),
        ("architecture x86-64", "'x86_64'"),
        ("runtime pyton3.13", "'python3.13'"),
        ("runtime python313", "'python3.13'"),
        ("runtime nodejs22", "'nodejs22.x'"),
    ],
)
def test_misspelled_setting_has_a_suggestion(written: str, meant: str, tmp_path: Path) -> None:
    """The choices follow, where there are few."""
    assert f"Did you mean {meant}?" in fault(tmp_path, f"@aws\n{written}\n")


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1", "eu-west-9", "nz-north-1"])
def test_region_that_aws_may_open_is_accepted(region: str, tmp_path: Path) -> None:
    """The list of regions is not complete forever."""
    assert app(tmp_path, "get /", f"@aws\nregion {region}\n").aws.region == region


def test_misspelled_name_of_a_setting_has_a_suggestion(tmp_path: Path) -> None:
    """It is a warning, because Architect ignores it."""
    (warning,) = app(tmp_path, "get /", "@aws\nregoin eu-west-1\n").warnings
    assert "Unknown setting 'regoin' in @aws, which has no effect. Did you mean 'region'?" in warning


@pytest.mark.parametrize(("indent", "what"), [("\t", "tab"), ("  ", "spaces"), (" ", "spaces")])
def test_indented_route_is_one_fault(indent: str, what: str, tmp_path: Path) -> None:
    """It names the kind of indent, which an editor may not show."""
    message = fault(tmp_path, f"@http\nget /\n{indent}get /a\n{indent}get /b\n")
    assert message.startswith("app.arc:5:")
    assert f"Remove the {what} at the start of the line, or" in message


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ("@tables\nsession\n_idx *String\n_ttl TTL\n", "the table 'session'"),
        ("@tables\nsession\n_idx *String\nat **Number\nstream true\n", "the table 'session'"),
        ("@tables\nsession\n_idx *\n", "the table 'session'"),
        ("@tables\nt\n  id *\n@tables-indexes\nt\nemail *String\nname byEmail\n", "the index of 't'"),
        ("@http\n/pay\nmethod post\nsrc code/pay\n", "the route '/pay'"),
    ],
)
def test_lines_that_are_not_indented_are_one_fault(lines: str, name: str, tmp_path: Path) -> None:
    """It points at the first of them and says how to indent them."""
    message = fault(tmp_path, lines)
    assert f"does not belong to {name}, because it is not indented below it." in message
    assert message.endswith(f"Indent the lines of {name} by two spaces.")


def test_tables_after_lines_that_are_not_indented_are_read(tmp_path: Path) -> None:
    """Their faults are reported too, and indexes of the table cause none."""
    text = "@app\nmyapp\n@tables\na\nid *String\nb\n  id *Text\nc\n  id *\n@tables-indexes\na\n  x *\nc\n  y *\n"
    first, second = faults(tmp_path, text)
    assert "'id *String' does not belong to the table 'a'" in first
    assert "'*Text' is not a valid partition key type" in second


def test_attribute_that_is_not_a_key_is_explained(tmp_path: Path) -> None:
    """DynamoDB declares only the attributes of keys."""
    (warning,) = app(tmp_path, "get /", "@tables\nuser\n  id *String\n  email String\n").warnings
    assert warning == (
        "app.arc:9: 'email String' below the table 'user' has no effect. Remove the line: only the attributes of keys "
        "are declared, and rows may have any others."
    )


def test_key_without_a_star_has_a_suggestion(tmp_path: Path) -> None:
    """A table without a partition key has an attribute that was meant as one."""
    message = fault(tmp_path, "@tables\nuser\n  id String\n")
    assert message.startswith("app.arc:5:3: The table 'user' has no partition key.")
    assert message.endswith("Write id *String.")


@pytest.mark.parametrize(("written", "meant"), [("/users", "get /users"), ("post/users", "post /users")])
def test_route_without_a_space_is_completed(written: str, meant: str, tmp_path: Path) -> None:
    """A route is a method and a path."""
    assert fault(tmp_path, f"@http\n{written}\n").endswith(f"Write it on one line, such as {meant}.")


@pytest.mark.parametrize("written", ["get, post /users", "get post /users", "GET, POST /users"])
def test_several_methods_in_a_line_are_several_routes(written: str, tmp_path: Path) -> None:
    """The advice writes out each of them."""
    message = fault(tmp_path, f"@http\n{written}\n")
    assert message.endswith("Write each route on its own line: get /users, post /users.")


def test_query_string_is_not_a_part_of_a_path(tmp_path: Path) -> None:
    """Every request to the path has the same route."""
    assert fault(tmp_path, "@http\nget /search?q=1\n").endswith("Write /search.")


def test_manifest_without_signs_is_one_fault(tmp_path: Path) -> None:
    """The first line says what is missing."""
    (message,) = faults(tmp_path, "app\nmyapp\nhttp\nget /\n")
    assert message.endswith("Write @app.")


def test_pragma_with_a_colon_is_explained(tmp_path: Path) -> None:
    """YAML has one."""
    assert fault(tmp_path, "@http:\nget /\n").endswith(
        "Write @http without the colon, and its values on the lines below."
    )


def test_tab_in_yaml_is_explained(tmp_path: Path) -> None:
    """YAML refuses tabs."""
    write(tmp_path, **{"arc.yaml": "app: myapp\nhttp:\n\t- get: /\n"})
    with pytest.raises(InventoryError, match=r"Indent with spaces instead of tabs\."):
        read(tmp_path, environ={}, home=tmp_path / "nobody")


@pytest.mark.parametrize("lines", ["testing\nSECRET hunter2\nOTHER 1\n", "testing\n  A 1\nSECRET hunter2\n"])
def test_variables_that_are_not_indented_are_one_fault(lines: str, tmp_path: Path) -> None:
    """It shows no value."""
    (message,) = faults(tmp_path, "@app\nmyapp\n@http\nget /\n", preferences__arc=f"@env\n{lines}")
    assert "hunter2" not in message
    assert message.endswith("Indent the variables of 'testing' by two spaces.")


def test_index_of_a_misspelled_table_has_a_suggestion(tmp_path: Path) -> None:
    """Only declared tables have indexes."""
    message = fault(tmp_path, "@tables\nuser\n  id *\n@tables-indexes\nusers\n  email *\n")
    assert message.endswith("Did you mean 'user'? Declare the table in @tables, or correct the name.")
