"""Variables in SSM are stored exactly, on any number of pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, Refused, local_cloud
from arc.tools.cloud.parameters import Parameters
from tests.cloud_calls import Reply
from tests.cloud_faults import FaultyCloud, on
from tests.engines import Engine, fresh_app
from tests.tools.cloud.answering import Answering, refused, told

NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{1,40}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200).filter(
    lambda value: "{{" not in value
)
ODD = {
    "QUOTES": '"double" \'single\' `back` \\" \\n',
    "NUMBER": "00123",
    "LONG_NUMBER": "12345678901234567890123456789012",
    "COMMENT": "before # after",
    "LINES": "one\ntwo\r\nthree\rfour\n",
    "SPACES": "  leading and trailing \t ",
    "EMOJI": "\N{BIRTHDAY CAKE} h\u00fcsh \u65e5\u672c\u8a9e",
    "JSON": '{"a": ["b", null], "c": {"d": "e"}}',
    "CONTROL": "".join(map(chr, range(1, 32))) + "\x7f\x85\u2028",
    "BOOLEAN": "true",
    "ONE": " ",
    "EXPANSION": "$HOME ${HOME} %PATH% $(true)",
    "LARGEST": "x" * 4096,
}


def parameters(url: str, app: str, environment: str = "staging") -> Parameters:
    """An environment's variables at a cloud."""
    return Parameters(local_cloud(url, "us-east-1"), app, environment)


@pytest.fixture(scope="module")
def ours(cloud: Engine) -> Cloud:
    """The tests' cloud as commands see it."""
    return local_cloud(cloud.url, "us-east-1")


@given(variables=st.dictionaries(NAMES, VALUES, min_size=1, max_size=8))
@example(variables=ODD)
def test_values_are_stored_exactly(ours: Cloud, variables: dict[str, str]) -> None:
    """They can be read here and by other tools: encrypted, with Architect's names."""
    app = fresh_app()
    Parameters(ours, app, "staging").write(variables)
    assert Parameters(ours, app, "staging").read() == variables
    path = f"/{app}/staging"
    found = list(
        ours.pages("ssm", "get_parameters_by_path", "Reading", key="Parameters", Path=path, WithDecryption=True)
    )
    assert {one["Name"]: one["Value"].encode() for one in found} == {
        f"{path}/{name}": value.encode() for name, value in variables.items()
    }
    assert {one["Type"] for one in found} == {"SecureString"}


def test_environment_without_variables_is_empty(cloud: Engine) -> None:
    """That is not an error."""
    assert parameters(cloud.url, fresh_app()).read() == {}


def test_variables_on_several_pages_are_read(cloud: Engine, faulty: FaultyCloud) -> None:
    """SSM returns ten at a time; the result is sorted."""
    app = fresh_app()
    variables = {f"KEY_{number:02}": str(number) for number in reversed(range(25))}
    parameters(cloud.url, app).write(variables)
    found = parameters(faulty.url, app).read()
    assert found == variables
    assert list(found) == sorted(variables)
    assert faulty.calls == ["ssm.GetParametersByPath"] * 3


def test_other_parameters_are_not_variables(cloud: Engine) -> None:
    """Neither deeper ones, nor those of other environments and of apps with similar names."""
    app, client = fresh_app(), cloud.client("ssm")
    for name in (
        f"/{app}/staging/nested/KEY",
        f"/{app}/staging-more/KEY",
        f"/{app}/production/KEY",
        f"/{app}-staging/KEY",
        f"/{app}-more/staging/KEY",
    ):
        client.put_parameter(Name=name, Value="theirs", Type="SecureString")
    parameters(cloud.url, app).write({"KEY": "ours"})
    assert parameters(cloud.url, app).read() == {"KEY": "ours"}
    parameters(cloud.url, app).remove("KEY")
    assert parameters(cloud.url, app).read() == {}
    assert parameters(cloud.url, app, "production").read() == {"KEY": "theirs"}


def test_value_is_replaced(cloud: Engine) -> None:
    """Other variables remain."""
    own = parameters(cloud.url, fresh_app())
    own.write({"A": "1", "B": "2"})
    own.write({"A": "3"})
    assert own.read() == {"A": "3", "B": "2"}


def test_missing_variable_can_be_removed(cloud: Engine, faulty: FaultyCloud) -> None:
    """It never existed, or the answer to its removal was lost."""
    app = fresh_app()
    own = parameters(faulty.url, app)
    own.write({"A": "1"})
    own.remove("B")
    faulty.begin(on("ssm.DeleteParameter", "lost"))
    own.remove("A")
    assert faulty.calls == ["ssm.DeleteParameter"] * 2
    assert parameters(cloud.url, app).read() == {}


@pytest.mark.parametrize("fault", ["throttle", "conflict", "error", "lost", "unsent"])
@pytest.mark.sampled(2)
def test_write_is_repeated_after_an_error(cloud: Engine, faulty: FaultyCloud, fault: str) -> None:
    """Each variable is set in the end."""
    app = fresh_app()
    faulty.begin(lambda _name, number: fault if number % 2 else None)
    parameters(faulty.url, app).write({"A": "1", "B": "2"})
    assert len(faulty.calls) == 4
    assert parameters(cloud.url, app).read() == {"A": "1", "B": "2"}


def test_errors_mask_values() -> None:
    """SSM may quote them."""
    secret = 'hush "hush"'

    def answer(_name: str, body: dict[str, Any]) -> Reply:
        return refused("ValidationException", f"Value '{body['Value']}' at 'value' failed")

    cloud = Cloud(Answering(answer).session)
    with pytest.raises(Refused) as caught:
        Parameters(cloud, "shop", "staging").write({"KEY": secret})
    assert str(caught.value) == ("Writing KEY in staging: ValidationException: Value '********' at 'value' failed")


def test_unencrypted_parameter_says_how_to_replace_it() -> None:
    """SSM never changes a parameter's type; the tests' cloud does, so the refusal is written here."""
    answering = Answering(lambda _name, _body: refused("HierarchyTypeMismatchException", "No."))
    with pytest.raises(ToolError) as caught:
        Parameters(Cloud(answering.session), "shop", "staging").write({"KEY": "value"})
    assert str(caught.value) == (
        "Writing KEY in staging: The parameter /shop/staging/KEY is not encrypted, and SSM cannot change that. "
        "Remove it and set it again: arc env remove staging KEY"
    )


def test_values_that_were_read_are_hidden(cloud: Engine) -> None:
    """This applies to every later call of the cloud."""
    app = fresh_app()
    parameters(cloud.url, app).write({"KEY": "hush-hush"})
    reader = local_cloud(cloud.url, "us-east-1")
    Parameters(reader, app, "staging").read()
    assert reader.masked("Value 'hush-hush' failed") == "Value '********' failed"


def test_write_new_keeps_an_existing_value(cloud: Engine) -> None:
    """Of two processes, the first one's value remains."""
    app = fresh_app()
    assert parameters(cloud.url, app).write_new("KEY", "first")
    assert not parameters(cloud.url, app).write_new("KEY", "second")
    assert parameters(cloud.url, app).read() == {"KEY": "first"}


@pytest.mark.parametrize("app", ["aws-demo", "awsdemo", "AWSdemo", "ssm-tools", "ssm"])
def test_app_name_that_ssm_refuses_is_an_error_before_any_call(app: str) -> None:
    """SSM refuses names that begin with aws or ssm, in any case."""
    answering = Answering(lambda _name, _body: refused("ValidationException", "never"))
    with pytest.raises(ToolError) as caught:
        Parameters(Cloud(answering.session), app, "staging")
    assert str(caught.value) == (
        f"The app name {app!r} cannot be used outside testing: SSM, which stores the variables (with --local too), "
        "refuses names that begin with aws or ssm. Choose another name below @app in the manifest."
    )
    assert answering.calls == []


@pytest.mark.parametrize("app", ["awesome-ssm", "my-aws", "as-sm"])
def test_aws_and_ssm_are_allowed_elsewhere_in_an_app_name(app: str) -> None:
    """Only the beginning counts."""
    answering = Answering(lambda _name, _body: told({"Parameters": []}))
    assert Parameters(Cloud(answering.session), app, "staging").read() == {}
    assert answering.names == ["ssm.GetParametersByPath"]
