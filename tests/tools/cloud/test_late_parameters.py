"""SSM may return old values for a moment; what is read is never older than what is known."""

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
    """An SSM with old values: each read gets the next of `listings`, and then always the last."""

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
    ids=["ours", "newer-one-of-another-process", "removed-by-another-process"],
)
def test_read_is_not_older_than_the_last_write(
    listings: tuple[dict[str, tuple[str, int]], ...], found: dict[str, str]
) -> None:
    """SSM is read again until it returns the value; a missing one is accepted in the end."""
    late = Late(*listings)
    late.parameters.write({"KEY": "new"})
    assert late.parameters.read() == found


def test_removed_variable_does_not_return() -> None:
    """SSM may return it for a moment."""
    late = Late(NEW, NEW, NEW, {})
    assert late.parameters.read() == {"KEY": "new"}
    late.parameters.remove("KEY")
    assert late.parameters.read() == {}
    assert late.answering.names.count("ssm.GetParametersByPath") == 4


def test_old_value_is_never_returned() -> None:
    """Functions would get it."""
    late = Late(OLD)
    late.parameters.write({"KEY": "new"})
    with pytest.raises(ToolError) as caught:
        late.parameters.read()
    assert str(caught.value) == (
        "SSM still returns old values of KEY in staging. Nothing is lost. Run the command again in a minute."
    )
    assert late.answering.names.count("ssm.GetParametersByPath") == 10


def test_threads_share_a_later_read() -> None:
    """Eight threads that wait for a running read share one new read, since the first may be too old."""
    barrier = threading.Barrier(8)

    def answer(_name: str, _body: dict[str, Any]) -> Reply:
        number = len(answering.calls)
        end = time.monotonic() + 30
        while number == 1 and repr(own._moments) != "count(11)" and time.monotonic() < end:
            time.sleep(0.001)  # one has asked and begun, and eight have asked
        return told({"Parameters": [{"Name": "/shop/staging/KEY", "Value": str(number), "Version": number}]})

    def read(number: int) -> str:
        if number:
            barrier.wait(30)
            while not answering.calls:
                time.sleep(0.001)
        return own.read()["KEY"]

    answering = Answering(answer)
    own = Parameters(Cloud(answering.session, sleep=lambda _seconds: None), "shop", "staging")
    with ThreadPoolExecutor(9) as pool:
        assert list(pool.map(read, range(9))) == ["1"] + ["2"] * 8
    assert len(answering.calls) == 2
    assert own.read() == {"KEY": "3"}
