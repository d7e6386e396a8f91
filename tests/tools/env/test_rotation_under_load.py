"""While the secret of real functions is rotated, visitors go on with their sessions, whichever function serves them."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.cloud_faults import FaultyCloud, Hook
from tests.deployed import package
from tests.engines import Engine
from tests.tools.env.crowd import Crowd
from tests.tools.env.rotating import NEW, OLD, SECRET, Rotating

PHASES = ["before", "accepting", "sealing", "after"]
FUNCTIONS = ["GetIndex", "PostLogin"]


def one_by_one(crowd: Crowd, requests: int) -> Hook:
    """A hook that lets updates pass one by one, with so many requests of the crowd between.

    In the second phase, after the first of them, until a cookie of the new secret came to a function that still
    sealed with the old one.
    """
    one = threading.Lock()
    passed = Counter[str]()

    def hook(before: bool) -> None:
        if not before:
            return
        with one:
            crowd.wait(requests)
            if crowd.phase == "sealing" and passed["sealing"]:
                crowd.wait_until(lambda: crowd.crossed["new", "old"] > 0)
            passed[crowd.phase] += 1

    return hook


@pytest.mark.parametrize("store", ["cookie", "table"])
@pytest.mark.sampled(1)
def test_no_visitor_is_signed_out(cloud: Engine, faulty: FaultyCloud, tmp_path: Path, store: str) -> None:
    """No session is lost: of active visitors, of idle ones, and of those who arrive in each phase."""
    variables = {SECRET: OLD, "ARC_SESSION_TABLE_NAME": "jwe" if store == "cookie" else cloud.table()}
    rotating = Rotating(cloud, tmp_path, variables, functions=FUNCTIONS, code=package())
    with Crowd(rotating.functions, {"old": OLD, "new": NEW}) as crowd:
        crowd.wait(40)

        def say(sentence: str) -> None:
            if " of 2: " in sentence:
                crowd.phase = PHASES[PHASES.index(crowd.phase) + 1]

        crowd.phase = "accepting"
        update = one_by_one(crowd, 10)
        faulty.begin(lambda name, _number: update if name == "lambda.UpdateFunctionConfiguration" else None)
        rotating.rotation(faulty.url, say=say).rotate(NEW)
        crowd.wait(40)
    crowd.wake()
    assert crowd.lost == []
    assert crowd.phase == "after"
    assert all(crowd.requests[phase] >= 20 and crowd.born[phase] for phase in PHASES)
    assert {"before", "accepting", "sealing"} <= {visitor.born for visitor in crowd.idle}
    # Functions that sealed with either secret were at work at once, and opened each other's cookies.
    assert crowd.crossed["old", "new"] > 0
    assert crowd.crossed["new", "old"] > 0
    assert not any("neither" in pair for pair in crowd.crossed)
