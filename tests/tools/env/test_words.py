"""The forms of `arc env`, old and new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from arc.tools.cli.command_line import app
from arc.tools.env.words import Options, Request, parse_request


def parse(words: Sequence[str]) -> Request:
    """Return what the command understands."""
    command = get_group(app).commands["env"]
    ctx = command.make_context("env", list(words))
    known = {field.name for field in fields(Options)}
    options = Options(**{name: value for name, value in ctx.params.items() if name in known})
    return parse_request(ctx.args, options)


@pytest.mark.parametrize(
    ("words", "action", "environment", "key", "value", "options"),
    [
        ("", "show", None, "", None, set()),
        ("production", "show", "production", "", None, set()),
        ("-e staging", "show", "staging", "", None, set()),
        ("-e=staging", "show", "staging", "", None, set()),
        ("--env=staging --show", "show", "staging", "", None, {"show"}),
        ("--print", "show", None, "", None, set()),
        ("-v -d", "show", None, "", None, set()),
        ("--verbose staging --debug", "show", "staging", "", None, set()),
        ("staging KEY", "set", "staging", "KEY", None, set()),
        ("staging set KEY", "set", "staging", "KEY", None, set()),
        ("--add --env staging KEY", "set", "staging", "KEY", None, {"add"}),
        ("staging KEY -5 -d", "set", "staging", "KEY", "-5", set()),
        ("staging KEY -- --show", "set", "staging", "KEY", "--show", set()),
        ("staging KEY -- --", "set", "staging", "KEY", "--", set()),
        ("staging KEY=value", "set", "staging", "KEY", "value", set()),
        ("staging KEY=a=b --local", "set", "staging", "KEY", "a=b", {"local"}),
        ("staging KEY=--show --json", "set", "staging", "KEY", "--show", {"as_json"}),
        ("staging KEY=", "set", "staging", "KEY", "", set()),
        ("set staging KEY=value", "set", "staging", "KEY", "value", set()),
        ("--add --env staging KEY=value", "set", "staging", "KEY", "value", {"add"}),
        ("staging KEY value", "set", "staging", "KEY", "value", set()),
        ("--add --env production KEY value", "set", "production", "KEY", "value", {"add"}),
        ("-a -e production KEY value", "set", "production", "KEY", "value", {"add"}),
        ("-e production -a KEY value", "set", "production", "KEY", "value", {"add"}),
        ("--local staging KEY value", "set", "staging", "KEY", "value", {"local"}),
        ("staging KEY value --json", "set", "staging", "KEY", "value", {"as_json"}),
        ("-- staging KEY --json", "set", "staging", "KEY", "--json", set()),
        ("staging --from-file .env", "load", "staging", "", None, set()),
        ("staging --from-file=a=b", "load", "staging", "", None, set()),
        ("remove production KEY", "remove", "production", "KEY", None, set()),
        ("remove -e production KEY", "remove", "production", "KEY", None, set()),
        ("-r -e production KEY", "remove", "production", "KEY", None, {"remove"}),
        ("-re production KEY --json", "remove", "production", "KEY", None, {"remove", "as_json"}),
        ("--remove --env=production KEY", "remove", "production", "KEY", None, {"remove"}),
        ("staging remove KEY", "remove", "staging", "KEY", None, set()),
        ("staging delete KEY", "remove", "staging", "KEY", None, set()),
        ("staging unset KEY --json", "remove", "staging", "KEY", None, {"as_json"}),
        ("staging rm KEY", "remove", "staging", "KEY", None, set()),
        ("rm staging KEY", "remove", "staging", "KEY", None, set()),
        ("-e staging delete KEY", "remove", "staging", "KEY", None, set()),
        ("remove staging remove", "remove", "staging", "remove", None, set()),
        ("staging set KEY value", "set", "staging", "KEY", "value", set()),
        ("set staging KEY value", "set", "staging", "KEY", "value", set()),
        ("staging add KEY remove", "set", "staging", "KEY", "remove", set()),
        ("staging list", "show", "staging", "", None, set()),
        ("staging show --show", "show", "staging", "", None, {"show"}),
        ("list", "show", None, "", None, set()),
        ("ls staging", "show", "staging", "", None, set()),
        ("staging verify --check", "verify", "staging", "", None, {"check"}),
        ("verify", "verify", None, "", None, set()),
        ("verify production --check", "verify", "production", "", None, {"check"}),
        ("--check verify", "verify", None, "", None, {"check"}),
    ],
)
def test_every_form_is_parsed(
    words: str, action: str, environment: str | None, key: str, value: str | None, options: set[str]
) -> None:
    """Architect's words of 2019, its options of today, and ours."""
    request = parse(words.split())
    assert (request.action, request.environment, request.key or "", request.value) == (action, environment, key, value)
    assert {field.name for field in fields(Options) if getattr(request.options, field.name) is True} == options


def test_from_file_names_the_file() -> None:
    """An equals sign in the name is part of it."""
    assert parse(["staging", "--from-file", ".env"]).options.file == ".env"
    assert parse(["staging", "--from-file=a=b"]).options.file == "a=b"


@pytest.mark.parametrize("value", ["-1", "-", "-x", "--kf7-Xq", "-----BEGIN", "remove", "staging", "", " a b "])
def test_the_word_after_the_key_is_the_value(value: str) -> None:
    """It may begin with a hyphen, in the old form and the new."""
    assert parse(["staging", "KEY", value]).value == value
    assert parse(["--add", "--env", "staging", "KEY", value]).value == value


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("--local", "--local"),
        ("--show", "--show"),
        ("--json", "--json"),
        ("--help", "--help"),
        ("-h", "-h"),
        ("-v", "-v"),
        ("--env=hunter2", "--env"),
        ("--lokal", "--local"),
        ("--forse", "--force"),
    ],
)
@pytest.mark.parametrize("before", ["staging", "--add --env staging", "set staging"])
def test_option_in_the_place_of_a_value_is_refused(before: str, value: str, option: str) -> None:
    """It would be written to AWS. With KEY=VALUE and after `--` it is accepted."""
    result = CliRunner().invoke(app, ["env", *before.split(), "KEY", value])
    assert result.exit_code == 2
    assert f"The word after KEY looks like the option {option}." in result.output
    assert "hunter2" not in result.output
    assert parse([*before.split(), f"KEY={value}"]).value == value
    assert parse([*before.split(), "KEY", "--", value]).value == value


@pytest.mark.parametrize("words", ["{}", "verify {}", "set {}", "--add {}", "remove {}", "--env {}"])
def test_variable_in_the_place_of_the_environment_is_not_shown(words: str) -> None:
    """Its value may be a secret, and the output may be a log."""
    result = CliRunner().invoke(app, ["env", *words.format("KEY=hunter2").split()])
    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert "The environment is missing in front of KEY. Choose testing, staging or production." in result.output


def test_repr_does_not_show_a_value() -> None:
    """A traceback or a log of the request contains no secret."""
    assert "hunter2hunter2" not in repr(parse(["staging", "KEY", "hunter2hunter2"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("stagin", "Unknown environment 'stagin'. Did you mean 'staging'? Choose testing, staging or production."),
        ("-e prod", "Unknown environment 'prod'. Did you mean 'production'?"),
        ("verif", "Did you mean 'verify'?"),
        ("staging KEY secret words", "Unexpected arguments follow the value."),
        ("staging KEY secret --chekc", "No such option: --chekc"),
        ("staging KEY secret --chekc", "--check"),
        ("--add", "The environment is missing. Choose testing, staging or production."),
        ("--add --env staging", "The name of the variable is missing. Write `arc env staging KEY VALUE`."),
        ("remove", "The environment is missing."),
        ("remove staging", "The name of the variable is missing. Write `arc env remove staging KEY`."),
        ("remove staging KEY=secret", "Write `arc env remove staging KEY`."),
        ("-r -e staging KEY=secret", "Unexpected arguments follow the name."),
        ("staging KEY=secret words", "Unexpected arguments follow the value."),
        ("remove staging KEY secret", "Unexpected arguments follow the name."),
        ("-r -e staging KEY secret", "Unexpected arguments follow the name."),
        ("remove staging KEY --add", "remove and --add cannot be combined."),
        ("--add --remove staging KEY", "--add and --remove cannot be combined."),
        ("staging remove", "The name of the variable is missing. Write `arc env remove staging KEY`."),
        ("staging get KEY", "Unknown action 'get'. To show every variable, run `arc env staging --show`."),
        ("get staging KEY", "Unknown action 'get'. To show every variable, run `arc env staging --show`."),
        ("get", "Unknown action 'get'. To show every variable, run `arc env --show`."),
        ("--add --env staging remove KEY", "remove and --add cannot be combined."),
        ("set staging delete KEY", "A variable cannot be called 'delete'"),
        ("staging set set value", "A variable cannot be called 'set'"),
        ("staging list KEY", "Unexpected argument 'KEY'."),
        ("staging set --remove KEY", "set and --remove cannot be combined."),
        ("verify --adopt --prune", "--adopt and --prune cannot be combined."),
        ("verify --check --prune", "--prune works only with a change or verify."),
        ("staging --adopt", "--adopt works only with a change or verify. Write `arc env verify --adopt`."),
        ("testing --adopt KEY value", "testing has none"),
        ("verify testing", "testing cannot be verified, because it has no deployed functions."),
        ("verify staging KEY", "Unexpected argument 'KEY'."),
        ("staging --check", "--check works only with verify."),
        ("-e", "requires an argument"),
        ("staging --from-file", "requires an argument"),
        ("--from-file .env", "The environment is missing."),
        ("staging --from-file .env KEY secret", "Unexpected argument 'KEY'."),
        ("verify --from-file .env", "--from-file sets variables, and cannot be combined with verify."),
    ],
)
def test_wrong_usage_names_the_form_to_write(words: str, message: str) -> None:
    """The message contains no word that may be a value."""
    result = CliRunner().invoke(app, ["env", *words.split()])
    assert result.exit_code == 2
    assert message in result.output
    assert "secret" not in result.output.replace("a guessable secret", "")
