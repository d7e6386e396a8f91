"""Words of other libraries' sessions: the error says what to write instead, and nothing else pays for it."""

from __future__ import annotations

import inspect
import re

import pytest

from arc.sessions.foreign_words import ADVICE, FOREIGN
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
def test_a_word_of_another_library_names_ours(name: str, words: str) -> None:
    """Flask's, Django's, Express's and Pyramid's words raise an AttributeError that says what to write here."""
    session = Made().manager.load([])
    with pytest.raises(AttributeError) as refusal:
        getattr(session, name)
    assert repr(name) in str(refusal.value)
    assert words in str(refusal.value)


@pytest.mark.parametrize("name", FOREIGN)
def test_setting_and_reading_a_foreign_word_say_the_same(name: str) -> None:
    """`session.permanent = True` is refused with the same advice, and the session is unchanged."""
    session = Made().manager.load([])
    with pytest.raises(AttributeError) as read:
        getattr(session, name)
    with pytest.raises(AttributeError) as written:
        setattr(session, name, True)
    assert str(read.value) == str(written.value) == f"A session has no {name!r}. {FOREIGN[name]}"
    assert session == {}


def test_every_foreign_word_has_advice_that_names_what_exists() -> None:
    """No word has two pieces of advice, and every method that advice mentions is a session's."""
    assert len(FOREIGN) == sum(len(names.split()) for names in ADVICE.values())
    for advice in ADVICE:
        named = re.findall(r"(?<!http\.)\bsession\.(\w+)", advice)
        assert [one for one in named if not hasattr(Session, one)] == []


def test_foreign_words_do_not_exist_otherwise() -> None:
    """`hasattr`, `dir` and the dict's own names know nothing of them."""
    session = Made().manager.load([])
    assert [name for name in FOREIGN if hasattr(session, name) or name in dir(session) or hasattr({}, name)] == []
    assert {"flash", "user_id", "get"} < set(dir(session))


def test_a_name_of_no_library_is_pythons_own_error() -> None:
    """A plain misspelling keeps the interpreter's message."""
    session = Made().manager.load([])
    with pytest.raises(AttributeError, match="object has no attribute 'colour'"):
        session.colour  # type: ignore[attr-defined]  # noqa: B018  # the lookup is the test


def test_looking_up_an_attribute_takes_the_interpreters_own_path() -> None:
    """No hook runs on an ordinary access: the class replaces none of Python's lookups."""
    assert Session.__setattr__ is object.__setattr__
    assert Session.__getattribute__ is dict.__getattribute__
    assert inspect.getattr_static(Session, "__getattr__", None) is None
