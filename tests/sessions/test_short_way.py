"""The short way of a commit, for a sealed session of which at most data has changed, and the way of all others."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arc.errors import SessionTooLarge
from arc.sessions.jwe import seal
from arc.sessions.keyring import Keyring
from arc.sessions.stores.sealed import SealedStore
from arc.settings import Settings
from tests.sessions.any_change import any_value, change
from tests.sessions.making import SECRET, Counting, Made, value_of
from tests.sessions.speeds import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arc.sessions.session import Session


class LongWay(SealedStore):
    """A sealed store without the short way."""

    reseal = None  # type: ignore[assignment]


@pytest.fixture(params=["json", "orjson"])
def speed(request: pytest.FixtureRequest) -> Iterator[None]:
    """JSON by the standard library alone, and with orjson."""
    with loaded(speed=request.param == "orjson"):
        yield


def manager(kind: type[SealedStore], **given: Any) -> Made:
    """A manager with this kind of store."""
    keyring = Keyring(Settings(environment="production", secret=SECRET))
    return Made(store=kind(keyring, "_idx", random=Counting()), **given)


def begin(made: Made, seed: int) -> str:
    """The cookie of a session that is signed in, has a message or a lifetime of its own, or none of these."""
    random = Random(seed)  # noqa: S311  # no secret
    session = made.manager.load([])
    for key in ("x", "y", "z")[: random.randrange(4)]:
        session[key] = random.choice([1, True, 1.0, "é", [1, {"a": [2]}], {"a": {"b": 0}, "b": None}])
    if random.random() < 0.4:
        session.sign_in("ada", lifetime=random.choice([None, 60, 2_000_000, "browser"]))
    if random.random() < 0.3:
        session.flash("info", "{hello}")
    return value_of(made.manager.commit(session)[0]) if session or session.user_id or session._facts.flashes else ""


def token_of(made: Made, payload: str) -> str:
    """The token of `payload`, in which `%d` stands for the time twice."""
    text = payload % (int(made.clock()), int(made.clock()))
    return seal(text.encode(), made.manager.keyring.sealing, "A256GCM", bytes(12))


def act(random: Random, session: Session) -> None:
    """Change the session in any way, or not at all."""
    for _ in range(random.randrange(3)):
        kind = random.random()
        if kind < 0.5:
            change(random, session)
        elif kind < 0.6:
            session.replace({"x": any_value(random)})
        elif kind < 0.7 and session:
            key = next(iter(session))
            session[key] = session.pop(key)
        elif kind < 0.75:
            session.flashes()
        elif kind < 0.8:
            session.flash("info", "later")
        elif kind < 0.85:
            (session.regenerate, session.destroy, partial(session.sign_in, "bob"))[random.randrange(3)]()


def outcomes(made: Made, seed: int) -> list[object]:
    """The results of three commits of one request, the session that was stored, and the events."""
    cookie, random = begin(made, seed), Random(seed)  # noqa: S311  # no secret
    made.clock.forward(seconds=random.choice([0, 1, 30, 100_000]))
    values = [cookie, *([begin(made, seed + 1)] if random.random() < 0.2 else [])]
    session, found = made.manager.load(values), list[object]()
    for _ in range(3):
        made.clock.forward(seconds=random.choice([0, 0, 0, 1, 40]))
        options: dict[str, Any] = {name: random.random() < 0.2 for name in ("explicit", "failed")}
        try:
            act(random, session)
            found.append(made.manager.commit(session, touch=random.choice([True, False, "always"]), **options))
        except (TypeError, ValueError, SessionTooLarge) as error:
            found.append(f"{error!r}")
    again = made.manager.load([value_of(cookie) for cookie in session.cookies[:1]])
    return [*found, dict(again), again._facts.content(), [(event.name, event.reason) for event in made.events]]


@settings(max_examples=5 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
@pytest.mark.usefixtures("speed")
def test_the_short_way_ends_like_the_long_way(seed: int) -> None:
    """The cookies are the same to the last byte, and so are the refusals and the events."""
    assert outcomes(manager(SealedStore), seed) == outcomes(manager(LongWay), seed)


@settings(max_examples=settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
@pytest.mark.usefixtures("speed")
def test_the_short_way_ends_like_the_long_way_whatever_the_settings(seed: int) -> None:
    """An absolute lifetime and a domain change nothing of this."""
    given = {"absolute": 200, "domain": "example.com", "idle": 90}
    assert outcomes(manager(SealedStore, **given), seed) == outcomes(manager(LongWay, **given), seed)


@pytest.mark.parametrize(
    "payload",
    [
        '{"_arc_user":"ada","a":1,"_arc_id":"x","_arc_created":%d,"iat":%d}',
        '{"a":1,"_arc_flash":[["info","hi"]],"_arc_user":"ada","_arc_id":"x","_arc_created":%d,"iat":%d}',
        '{"exp":1900000000,"_arc_user":"ada","a":1,"_arc_id":"x","_arc_created":%d,"iat":%d}',
    ],
)
def test_facts_in_another_place_of_a_token_are_kept_by_a_change(payload: str) -> None:
    """Another writer may have put the user before the id, and ends the token as this library does."""
    made = manager(SealedStore)
    session = made.manager.load([token_of(made, payload)])
    facts = session._facts.content()
    session["a"] = 2
    (cookie,) = made.manager.commit(session)
    again = made.manager.load([value_of(cookie)])
    assert again == {"a": 2}
    assert again.user_id == "ada"
    assert again._facts.content() == facts


@pytest.mark.parametrize(
    "number", ["0.00001", "1e-7", "1e-07", "1e16", "1e+16", "-0.000025", "1.5e-9", "1.5e300", "1.5e+300", "10E2"]
)
@pytest.mark.usefixtures("speed")
def test_a_number_that_another_writer_spelled_otherwise_is_no_change(number: str) -> None:
    """JavaScript, orjson and Python write some floats differently, and a request that only reads stores nothing."""
    made = manager(SealedStore)
    token = token_of(made, f'{{"a":[{number}],"_arc_id":"x","_arc_created":%d,"iat":%d}}')
    session = made.manager.load([token])
    assert made.manager.commit(session) == ()
    session["a"].append(1)
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)]) == {"a": [float(number), 1]}


def test_a_lifetime_without_a_user_is_kept_by_a_change() -> None:
    """Another writer may have removed the user alone."""
    made = manager(SealedStore)
    token = token_of(made, '{"a":1,"_arc_life":60,"_arc_id":"x","_arc_created":%d,"iat":%d}')
    session = made.manager.load([token])
    session["a"] = 2
    (cookie,) = made.manager.commit(session)
    assert made.manager.load([value_of(cookie)])._facts.lifetime == 60
