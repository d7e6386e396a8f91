"""SSM may tell what was written a moment later: nothing that is read is older than what is known."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud
from arc.tools.cloud.parameters import Parameters
from tests.cloud_calls import Reply
from tests.tools.cloud.answering import Answering, told
from tests.tools.cloud.clock import Clock


class Late:
    """An SSM that tells late what was written: each reading gets the next of `listings`, the last one for ever."""

    def __init__(self, *listings: dict[str, tuple[str, int]]) -> None:
        self._listings = list(listings)
        self.answering = Answering(self._answer)
        self.clock = Clock()
        cloud = Cloud(self.answering.session, clock=self.clock, sleep=self.clock.sleep)
        self.parameters = Parameters(cloud, "shop", "staging", sleep=self.clock.sleep)

    def _answer(self, name: str, _body: dict[str, Any]) -> Reply:
        if name != "ssm.GetParametersByPath":
            return told({"Version": 2})
        listing = self._listings.pop(0) if len(self._listings) > 1 else self._listings[0]
        return told(
            {
                "Parameters": [
                    {"Name": f"/shop/staging/{key}", "Value": value, "Version": version}
                    for key, (value, version) in listing.items()
                ]
            }
        )


OLD, NEW = {"KEY": ("old", 1)}, {"KEY": ("new", 2)}


@pytest.mark.parametrize(
    ("listings", "found"),
    [
        ((OLD, {}, NEW), {"KEY": "new"}),
        ((OLD, {"KEY": ("theirs", 3)}), {"KEY": "theirs"}),
        (({}, {}), {}),
    ],
    ids=["ours", "somebodys-newer-one", "removed-by-somebody"],
)
def test_what_is_read_is_not_older_than_what_was_written(
    listings: tuple[dict[str, tuple[str, int]], ...], found: dict[str, str]
) -> None:
    """SSM is asked again until it tells it, and believed in the end when it tells none."""
    late = Late(*listings)
    late.parameters.write({"KEY": "new"})
    assert late.parameters.read() == found


def test_what_was_removed_does_not_come_back() -> None:
    """As long as SSM tells it by mistake."""
    late = Late(NEW, NEW, NEW, {})
    assert late.parameters.read() == {"KEY": "new"}
    late.parameters.remove("KEY")
    assert late.parameters.read() == {}
    assert late.answering.names.count("ssm.GetParametersByPath") == 4


def test_an_old_value_is_never_believed() -> None:
    """However long SSM tells it: functions would get it."""
    late = Late(OLD)
    late.parameters.write({"KEY": "new"})
    with pytest.raises(ToolError) as caught:
        late.parameters.read()
    assert str(caught.value) == (
        "SSM goes on telling old values of KEY in staging. Nothing is lost: run the command again in a minute."
    )
    assert late.answering.names.count("ssm.GetParametersByPath") == 10


def test_threads_share_a_reading_that_began_after_they_asked() -> None:
    """Of eight who ask while one is reading, one reads for all: that first reading may be too old for them."""
    everybody = threading.Barrier(8)

    def answer(_name: str, _body: dict[str, Any]) -> Reply:
        number = len(answering.calls)
        end = time.monotonic() + 30
        while number == 1 and repr(own._moments) != "count(11)" and time.monotonic() < end:
            time.sleep(0.001)  # one has asked and begun, and eight have asked
        return told({"Parameters": [{"Name": "/shop/staging/KEY", "Value": str(number), "Version": number}]})

    def read(number: int) -> str:
        if number:
            everybody.wait(30)
            while not answering.calls:
                time.sleep(0.001)
        return own.read()["KEY"]

    answering = Answering(answer)
    own = Parameters(Cloud(answering.session, sleep=lambda _seconds: None), "shop", "staging")
    with ThreadPoolExecutor(9) as pool:
        assert list(pool.map(read, range(9))) == ["1"] + ["2"] * 8
    assert len(answering.calls) == 2
    assert own.read() == {"KEY": "3"}
