"""The secret of an environment is changed in two phases, and nobody is signed out between them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud
from tests.engines import Engine
from tests.tools.env.rotating import FALLBACKS, FUNCTIONS, NEW, OLD, OLDER, SECRET, Rotating, watched

BEFORE = {SECRET: OLD, FALLBACKS: json.dumps([OLDER])}
AFTER = {(NEW, (OLD, OLDER, NEW))}


def test_every_function_accepts_it_before_any_seals_with_it(cloud: Engine, tmp_path: Path) -> None:
    """Two phases, and each is told when all functions have it."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    seen = []
    rotating.rotation(say=lambda sentence: seen.append((sentence, rotating.everywhere()))).rotate(NEW)
    assert seen == [
        ("1 of 2: every function in staging accepts the new secret.", {(OLD, (OLD, OLDER, NEW))}),
        ("2 of 2: every function in staging seals with the new secret, and opens with the old.", AFTER),
        ("When an idle lifetime has passed: arc secret rotate staging --retire", AFTER),
    ]
    assert rotating.noted() is None
    assert rotating.warned == []


def test_at_every_call_each_function_accepts_what_others_seal_with(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """And what was known before the rotation."""
    rotating = Rotating(cloud, tmp_path, BEFORE, functions=["A", "B", "C"])
    faulty.begin(watched(rotating, OLD, OLDER))
    rotating.rotate(url=faulty.url)
    assert rotating.everywhere() == AFTER
    assert faulty.calls.count("lambda.UpdateFunctionConfiguration") == 6


def test_rotating_again_keeps_every_old_secret(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """In the order in which they sealed, each once."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.rotate()
    faulty.begin(watched(rotating, NEW, OLD, OLDER))
    rotating.rotate("another-new-secret-of-the-tests-that-is-long-enough", url=faulty.url)
    ((secret, fallbacks),) = rotating.everywhere()
    assert secret == "another-new-secret-of-the-tests-that-is-long-enough"
    assert fallbacks == (NEW, OLD, OLDER, secret)


def test_a_random_secret_unless_one_is_given(cloud: Engine, tmp_path: Path) -> None:
    """Of 43 characters, another each time."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    made = []
    for _ in range(2):
        rotating.rotate(None)
        ((secret, _),) = rotating.everywhere()
        made.append(secret or "")
    assert [len(one) for one in made] == [43, 43]
    assert len({OLD, *made}) == 3
    rotating.check(OLD, OLDER, *made)


def test_an_environment_without_a_secret_gets_one(cloud: Engine, tmp_path: Path) -> None:
    """At once: there is no session that it could end."""
    rotating = Rotating(cloud, tmp_path, {"GREETING": "hello"})
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, ())}
    assert rotating.said == [
        "staging has a secret now, and every function has it. There was none to seal sessions with."
    ]
    assert (rotating.noted(), rotating.noted("rotated")) == (None, None)


def test_without_functions_it_waits_for_them_in_ssm(cloud: Engine, tmp_path: Path) -> None:
    """They get it when they are deployed; the region is named, since it may be the wrong one."""
    rotating = Rotating(cloud, tmp_path, BEFORE, functions=[])
    rotating.rotate()
    assert rotating.everywhere() == AFTER
    assert rotating.warned[-1].startswith("No functions are deployed to staging in us-east-1 yet. If the app")


def test_a_function_that_opted_out_is_left_alone(cloud: Engine, tmp_path: Path) -> None:
    """Whatever secret of its own it has."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.opt_out()
    own = {**rotating.functions.variables("PostLogin"), SECRET: "a secret of its own that nobody else has"}
    own.pop(FALLBACKS)
    rotating.functions.set_variables(own, "PostLogin")
    rotating.rotate()
    assert rotating.functions.variables("PostLogin") == own
    assert rotating.secrets("GetIndex") == (NEW, [OLD, OLDER, NEW])


def test_a_function_that_opted_out_with_the_old_secret_stops_it(cloud: Engine, tmp_path: Path) -> None:
    """It would sign out who comes to it, until it accepts the new one."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    rotating.opt_out()
    with pytest.raises(Exception, match=f"{rotating.app}-staging-PostLogin: its config.arc says env false"):
        rotating.rotate()
    assert rotating.secrets("GetIndex") == (OLD, [OLD, OLDER, NEW])
    rotating.functions.set_variables({**rotating.functions.variables("GetIndex")}, "PostLogin")
    rotating.rotate(None)
    assert rotating.secrets("GetIndex") == (NEW, [OLD, OLDER, NEW])
    assert "go on sealing with an old secret" in rotating.warned[-1]


def test_what_a_function_seals_with_by_itself_is_kept(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """One that was not brought in step has sessions under its own secret."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    own = "a secret that this function alone had till now"
    rotating.functions.set_variables({**rotating.functions.variables("GetIndex"), SECRET: own}, "GetIndex")
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, (OLD, OLDER, own, NEW))}
    assert rotating.warned == [
        f"{rotating.app}-staging-GetIndex seals with a secret of its own; it is kept among the old ones."
    ]


def test_the_functions_own_secret_goes_on_sealing_where_ssm_has_none(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """Until all accept the new one."""
    rotating = Rotating(cloud, tmp_path)
    for name in FUNCTIONS:
        rotating.functions.set_variables({**rotating.functions.variables(name), SECRET: OLD}, name)
    faulty.begin(watched(rotating, OLD))
    rotating.rotate(url=faulty.url)
    assert rotating.everywhere() == {(NEW, (OLD, NEW))}


@pytest.mark.parametrize("fallbacks", [[], [OLDER], ["too short"]])
def test_a_secret_with_which_no_function_runs_is_left_out(cloud: Engine, tmp_path: Path, fallbacks: list[str]) -> None:
    """Among the fallbacks it would keep all functions from their sessions."""
    weak = {SECRET: "weak"} | ({FALLBACKS: json.dumps(fallbacks)} if fallbacks else {})
    rotating = Rotating(cloud, tmp_path, weak)
    rotating.rotate()
    assert rotating.everywhere() == {(NEW, (OLDER, NEW) if OLDER in fallbacks else ())}
    assert rotating.warned[0] == (
        "An old secret is left out, because no function can run with it: ARC_APP_SECRET has 4 characters, and at "
        "least 16 are required."
    )


def test_a_function_that_fails_stops_the_rotation_where_it_is(
    cloud: Engine, faulty: FaultyCloud, tmp_path: Path
) -> None:
    """In either phase, with all others in it; the same command goes on with the same secret."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    for failing in (1, 2):
        done = 0

        def plan(name: str, _number: int, failing: int = failing) -> str | None:
            nonlocal done
            if name == "lambda.UpdateFunctionConfiguration":
                done += 1
                return "error" if done >= failing else None
            return None

        faulty.begin(watched(rotating, OLD, OLDER, plan=plan))
        with pytest.raises(Exception, match="not in step") as raised:
            rotating.rotate(None if failing > 1 else NEW, url=faulty.url)
        assert "Go on with: arc secret rotate staging" in str(raised.value)
        assert "arc env verify" not in str(raised.value)
        assert (rotating.noted() or {})["secret"] == NEW
    rotating.rotate(None)
    assert rotating.everywhere() == AFTER
    assert "Going on with the rotation of staging that has begun already." in rotating.said


def test_what_was_known_at_its_beginning_comes_back(cloud: Engine, faulty: FaultyCloud, tmp_path: Path) -> None:
    """Somebody removed the fallbacks from SSM by hand while the rotation was interrupted."""
    rotating = Rotating(cloud, tmp_path, BEFORE)
    faulty.begin(lambda name, _number: "error" if name == "lambda.UpdateFunctionConfiguration" else None)
    with pytest.raises(Exception, match="not in step"):
        rotating.rotate(url=faulty.url)
    cloud.client("ssm").delete_parameter(Name=f"/{rotating.app}/staging/{FALLBACKS}")
    rotating.rotate(None)
    assert rotating.everywhere() == AFTER
