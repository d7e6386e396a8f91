"""Names and values of variables: what is refused before anything is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import ToolError
from arc.tools.env.variables import check_name, check_set, check_value, is_secret, request_bytes, set_bytes
from tests.tools.cloud.answering import Answering, told


@pytest.mark.parametrize("name", ["KEY", "a1", "Aa_9", "ARC_APP_SECRET", "SESSION_TABLE_NAME", "NODE_ENVY", "x_"])
def test_valid_names_are_accepted(name: str) -> None:
    """A letter, then letters, digits and `_`."""
    check_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ARC_ENV", "reserved: arc sets it"),
        ("ARC_APP_NAME", "reserved: arc sets it"),
        ("NODE_ENV", "reserved: arc sets it"),
        ("AWS_REGION", "reserved: AWS Lambda sets it"),
        ("AWS_SECRET_ACCESS_KEY", "reserved: AWS Lambda sets it"),
        ("_HANDLER", "reserved: AWS Lambda sets it"),
        ("K", "at least two characters"),
        ("1KEY", "a letter first"),
        ("_KEY", "a letter first"),
        ("KEY-1", r"letters, digits or '_'\. Write KEY_1\."),
        ("KÉY", "letters, digits or '_'"),
        ("", "a letter first"),
        ("KEY\n", "letters, digits or '_'"),
    ],
)
def test_other_names_are_refused(name: str, message: str) -> None:
    """Reserved names, and those that Lambda refuses."""
    with pytest.raises(ToolError, match=message):
        check_name(name)


@pytest.mark.parametrize(
    "value", ["00123", " a ", "a\nb\r\n", "é€🎉", "{}", "{{", "'\"`$HOME#", "x" * 4096, "é" * 2048]
)
def test_any_text_is_a_value(value: str) -> None:
    """Up to 4,096 bytes."""
    check_value("KEY", value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "is empty, and SSM accepts no empty values"),
        ("x" * 4097, "is 4,097 bytes, and SSM's limit is 4,096"),
        ("é" * 2049, "is 4,098 bytes"),
        ("hunter2 {{ssm:other}}", "SSM refuses"),
        ("hunter2\0", "NUL"),
        ("hunter2\udcff", "is not valid UTF-8"),
    ],
)
def test_values_that_ssm_refuses_are_refused(value: str, message: str) -> None:
    """The message has the name and the fault, and never the value."""
    with pytest.raises(ToolError) as refused:
        check_value("KEY", value)
    assert message in str(refused.value)
    assert "KEY" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_variables_are_measured_as_lambda_does() -> None:
    """All names and values as one JSON object, up to 4,096 bytes; the message names the largest."""
    fits = {"KEY": "x" * (4096 - len('{"KEY":""}'))}
    assert set_bytes(fits) == 4096
    check_set("shop-staging-GetIndex", fits)
    with pytest.raises(ToolError) as refused:
        check_set("shop-staging-GetIndex", {**fits, "A": "1"})
    assert "The variables of shop-staging-GetIndex would be 4,104 bytes" in str(refused.value)
    assert "KEY 4,086" in str(refused.value)
    assert "xxx" not in str(refused.value)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20)))
def test_the_size_includes_names_and_values(variables: dict[str, str]) -> None:
    """Quotes and escapes only add to it."""
    plain = {name: value for name, value in variables.items() if (name + value).isprintable()}
    assert set_bytes(plain) >= sum(len((name + value).encode()) for name, value in plain.items())


SENT: list[bytes] = []
ANSWERING = Answering(lambda _name, _body: told({"FunctionName": "f", "RevisionId": "1"}))
ANSWERING.session.events.register_first("before-send", lambda request, **_: SENT.append(request.body))
LAMBDA = ANSWERING.session.client("lambda")


@given(st.dictionaries(st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{1,5}", fullmatch=True), st.text(max_size=20)))
def test_the_size_of_a_request_is_that_of_boto3(variables: dict[str, str]) -> None:
    """It includes escapes of characters beyond ASCII, spaces and the function's revision."""
    revision = "a1b2c3d4-5678-90ab-cdef-000000000000"
    LAMBDA.update_function_configuration(FunctionName="f", RevisionId=revision, Environment={"Variables": variables})
    assert request_bytes(variables) == len(SENT.pop())


def test_a_request_is_smaller_than_5120_bytes() -> None:
    """Lambda refuses a larger one even with variables below 4 KB; the message names the largest values."""
    emoji = {"EMOJI": "🎉" * 400, "KEY": ""}
    fits = {**emoji, "KEY": "x" * (5119 - request_bytes(emoji))}
    assert request_bytes(fits) == 5119
    check_set("shop-staging-GetIndex", fits)
    too_large = {**fits, "KEY": fits["KEY"] + "x"}
    assert set_bytes(too_large) < 4096
    with pytest.raises(ToolError) as refused:
        check_set("shop-staging-GetIndex", too_large)
    assert str(refused.value) == (
        "The request that updates shop-staging-GetIndex would be 5,120 bytes, and Lambda requires less than 5,120; a "
        "character beyond ASCII counts as 6 or 12. The largest values: EMOJI 4,800, KEY "
        f"{len(too_large['KEY'])}. Remove or shorten some, or encode them with base64. Nothing was changed."
    )


def test_only_names_of_tables_and_origins_are_shown() -> None:
    """Any other variable may be secret."""
    assert not is_secret("SESSION_TABLE_NAME")
    assert not is_secret("ARC_SESSION_TABLE_NAME")
    assert not is_secret("ARC_TRUSTED_ORIGINS")
    assert is_secret("ARC_SESSION_TTL")
    assert is_secret("ARC_APP_SECRET")
