"""Attribute names of other session libraries raise errors with advice, and cost other attributes nothing."""

from __future__ import annotations

import inspect
import re

import pytest

from arc.sessions.foreign_words import ADVICE, FOREIGN, ForeignWord
from arc.sessions.session import Session
from tests.sessions.making import Made

EXPECTED = {
    "pop_flashes": "flashes(",
    "get_flashed_messages": "flashes(",
    "cycle_key": "regenerate()",
    "regenerate_id": "regenerate()",
    "flush": "destroy()",
    "invalidate": "destroy()",
    "login": "sign_in(",
    "logout": "sign_out()",
    "user": "user_id",
    "permanent": "ARC_SESSION_TTL",
    "max_age": "ARC_SESSION_TTL",
    "set_expiry": "'browser'",
    "save": "not needed",
    "modified": "not needed",
    "changed": "not needed",
    "new": "is_new",
    "session_key": "id",
    "sid": "id",
    "created": "created_at",
    "get_csrf_token": "arc.http.csrf.token(req)",
}


@pytest.mark.parametrize(("name", "words"), EXPECTED.items())
def test_a_name_of_another_library_raises_advice(name: str, words: str) -> None:
    """Names of Flask, Django, Express and Pyramid raise an AttributeError that says what to use."""
    session = Made().manager.load([])
    with pytest.raises(AttributeError) as refusal:
        getattr(session, name)
    assert repr(name) in str(refusal.value)
    assert words in str(refusal.value)


@pytest.mark.parametrize("name", FOREIGN)
def test_setting_and_reading_raise_the_same_advice(name: str) -> None:
    """`session.permanent = True` raises the same advice and does not change the session."""
    session = Made().manager.load([])
    with pytest.raises(AttributeError) as read:
        getattr(session, name)
    with pytest.raises(AttributeError) as written:
        setattr(session, name, True)
    assert str(read.value) == str(written.value) == f"A session has no {name!r}. {FOREIGN[name]}"
    assert session == {}


def test_advice_mentions_only_existing_methods() -> None:
    """Every name has one piece of advice, and the methods that it mentions exist."""
    assert len(FOREIGN) == sum(len(names.split()) for names in ADVICE.values())
    for advice in ADVICE:
        named = re.findall(r"(?<!http\.)\bsession\.(\w+)", advice)
        assert [one for one in named if not hasattr(Session, one)] == []


def test_foreign_names_are_hidden_from_hasattr_and_dir() -> None:
    """They are missing in `hasattr`, in `dir` and among dict's names."""
    session = Made().manager.load([])
    assert [name for name in FOREIGN if hasattr(session, name) or name in dir(session) or hasattr({}, name)] == []
    assert {"flash", "user_id", "get"} < set(dir(session))


def test_an_unknown_name_raises_pythons_error() -> None:
    """A misspelling raises the interpreter's message."""
    session = Made().manager.load([])
    with pytest.raises(AttributeError, match="object has no attribute 'colour'"):
        session.colour  # type: ignore[attr-defined]  # noqa: B018  # the lookup is the test


def test_the_class_overrides_no_attribute_lookup() -> None:
    """No hook runs on an ordinary attribute access."""
    assert Session.__setattr__ is object.__setattr__
    assert Session.__getattribute__ is dict.__getattribute__
    assert inspect.getattr_static(Session, "__getattr__", None) is None


def test_a_foreign_word_names_itself_and_its_advice() -> None:
    """The descriptor knows the word that it stands for, in any class."""

    class Owner:
        login = ForeignWord("visitor", "login", "Call sign_in.")

    for use in (getattr, lambda owner, name: setattr(owner, name, 1)):
        with pytest.raises(AttributeError, match=r"^A visitor has no 'login'\. Call sign_in\.$"):
            use(Owner(), "login")
