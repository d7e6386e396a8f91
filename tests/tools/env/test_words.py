"""The forms of `arc env`, old and new."""

from __future__ import annotations

import pytest

from arc.tools.env.words import Asked, WrongUsage, understood


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("", Asked("show")),
        ("production", Asked("show", "production")),
        ("-e staging", Asked("show", "staging")),
        ("--env=staging --show", Asked("show", "staging", flags=frozenset({"show"}))),
        ("--print", Asked("show")),
        ("-v -d", Asked("show")),
        ("--verbose staging --debug", Asked("show", "staging")),
        ("staging KEY -v -d", Asked("set", "staging", "KEY", "-v", value_at=2)),
        ("staging KEY value", Asked("set", "staging", "KEY", "value", value_at=2)),
        ("--add --env production KEY value", Asked("set", "production", "KEY", "value", value_at=4)),
        ("-a -e production KEY value", Asked("set", "production", "KEY", "value", value_at=4)),
        ("-e production -a KEY value", Asked("set", "production", "KEY", "value", value_at=4)),
        ("--local staging KEY value", Asked("set", "staging", "KEY", "value", flags=frozenset({"local"}), value_at=3)),
        ("staging KEY value --json", Asked("set", "staging", "KEY", "value", flags=frozenset({"json"}), value_at=2)),
        ("staging --from-file .env", Asked("load", "staging", file=".env")),
        ("staging --from-file=a=b", Asked("load", "staging", file="a=b")),
        ("remove production KEY", Asked("remove", "production", "KEY")),
        ("remove -e production KEY", Asked("remove", "production", "KEY")),
        ("-r -e production KEY", Asked("remove", "production", "KEY")),
        ("--remove --env=production KEY", Asked("remove", "production", "KEY")),
        ("staging remove KEY", Asked("remove", "staging", "KEY")),
        ("staging delete KEY", Asked("remove", "staging", "KEY")),
        ("staging unset KEY --json", Asked("remove", "staging", "KEY", flags=frozenset({"json"}))),
        ("staging rm KEY", Asked("remove", "staging", "KEY")),
        ("rm staging KEY", Asked("remove", "staging", "KEY")),
        ("-e staging delete KEY", Asked("remove", "staging", "KEY")),
        ("remove staging remove", Asked("remove", "staging", "remove")),
        ("staging set KEY value", Asked("set", "staging", "KEY", "value", value_at=3)),
        ("set staging KEY value", Asked("set", "staging", "KEY", "value", value_at=3)),
        ("staging add KEY remove", Asked("set", "staging", "KEY", "remove", value_at=3)),
        ("staging list", Asked("show", "staging")),
        ("staging show --show", Asked("show", "staging", flags=frozenset({"show"}))),
        ("list", Asked("show")),
        ("ls staging", Asked("show", "staging")),
        ("staging verify --check", Asked("verify", "staging", flags=frozenset({"check"}))),
        ("verify", Asked("verify")),
        ("verify production --check", Asked("verify", "production", flags=frozenset({"check"}))),
        ("--check verify", Asked("verify", flags=frozenset({"check"}))),
        ("production -h", Asked("help")),
        ("--help", Asked("help")),
    ],
)
def test_every_form_is_understood(words: str, asked: Asked) -> None:
    """Architect's words of 2019, its flags of today, and ours."""
    assert understood(words.split()) == asked


@pytest.mark.parametrize(
    "value", ["-1", "--show", "--json", "-", "--", "-h", "--env=x", "remove", "staging", "", " a b "]
)
def test_the_word_after_the_key_is_the_value(value: str) -> None:
    """Whatever it looks like, in the old form and the new."""
    assert understood(["staging", "KEY", value]).value == value
    assert understood(["--add", "--env", "staging", "KEY", value]).value == value


def test_a_value_is_not_shown_by_repr() -> None:
    """A traceback or a log of what was asked holds no secret."""
    assert "hunter2hunter2" not in repr(understood(["staging", "KEY", "hunter2hunter2"]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("stagin", "Unknown environment 'stagin'. Did you mean 'staging'? Choose testing, staging or production."),
        ("-e prod", "Unknown environment 'prod'. Did you mean 'production'?"),
        ("verif", "Did you mean 'verify'?"),
        ("staging KEY", "What value? Write: arc env staging KEY VALUE"),
        ("staging KEY secret words", "There are more words after the value."),
        ("staging KEY secret --chekc", "--chekc is no option. Did you mean --check?"),
        ("--add", "Which environment?"),
        ("--add --env staging", "Which variable?"),
        ("remove", "Which environment?"),
        ("remove staging", "Which variable? Write: arc env remove staging KEY"),
        ("remove staging KEY secret", "There are more words"),
        ("remove staging KEY --add", "exclude each other"),
        ("staging remove", "Which variable? Write: arc env remove staging KEY"),
        ("staging set KEY", "What value? Write: arc env staging KEY VALUE"),
        ("staging get KEY", "'get' is not part of this command. Show every variable with: arc env staging --show"),
        ("get staging KEY", "'get' is not part of this command. Show every variable with: arc env staging --show"),
        ("get", "'get' is not part of this command. Show every variable with: arc env --show"),
        ("--add --env staging remove KEY", "A variable cannot be called 'remove'"),
        ("set staging delete KEY", "A variable cannot be called 'delete'"),
        ("staging set set value", "A variable cannot be called 'set'"),
        ("staging list KEY", "'KEY' is one word too many."),
        ("staging set --remove KEY", "set and --remove exclude each other"),
        ("verify --adopt --prune", "--adopt and --prune exclude each other."),
        ("verify --check --prune", "--prune belongs to a change or to verify"),
        ("staging --adopt", "--adopt belongs to a change or to verify: arc env verify --adopt"),
        ("testing KEY value --adopt", "testing has none"),
        ("verify testing", "There is nothing to verify in testing"),
        ("verify staging KEY", "'KEY' is one word too many."),
        ("staging --check", "--check belongs to verify"),
        ("-e", "-e needs a value after it."),
        ("staging --from-file", "--from-file needs a value after it."),
        ("--from-file .env", "Which environment?"),
        ("staging --from-file .env KEY secret", "'KEY' is one word too many."),
        ("verify --from-file .env", "it cannot be used to verify"),
    ],
)
def test_words_that_are_no_form_say_what_to_write(words: str, told: str) -> None:
    """The message names the form that is meant, and holds no word that may be a value."""
    with pytest.raises(WrongUsage) as wrong:
        understood(words.split())
    assert told in str(wrong.value)
    assert "secret" not in str(wrong.value)
