"""`arc logs`: the functions' lines in one stream, readable and without secrets."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from arc.errors import ToolError
from arc.inventory import Inventory
from arc.tools.deploy.logs import Logs, choose_routes, seconds_of
from tests.engines import Engine, fresh_app
from tests.tools.deploy.apps import COUNTER, app_of
from tests.tools.pauses import quick_cloud

NOW = time.time()
REPORT = (
    "REPORT RequestId: 8f50\tDuration: 12.05 ms\tBilled Duration: 13 ms\tMemory Size: 1152 MB\tMax Memory Used: 75 MB\t"
)


def write(cloud: Engine, inventory: Inventory, function: str, *lines: tuple[float, str]) -> None:
    """Put lines with their age in seconds into a function's log."""
    client = cloud.look("logs")
    group = f"/aws/lambda/{inventory.app}-staging-{function}"
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="one")
    events = [{"timestamp": int((NOW - age) * 1000), "message": text} for age, text in lines]
    client.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    """An app with two routes."""
    return app_of(tmp_path / "app", fresh_app(), {"get /": COUNTER, "post /cart": COUNTER})


def test_lines_of_all_functions_come_in_the_order_of_time(cloud: Engine, inventory: Inventory) -> None:
    """Lambda's own lines are left out but for duration and memory, and a logged message is its level and text."""
    write(
        cloud,
        inventory,
        "get-index",
        (9, "START RequestId: 8f50 Version: $LATEST\n"),
        (8, "[INFO]\t2026-11-27T12:00:00.000Z\t8f50\tsession created 4d1f\n"),
        (5, f"{REPORT}Init Duration: 190.2 ms\n"),
        (4, "END RequestId: 8f50\n"),
    )
    write(cloud, inventory, "post-cart", (7, "printed by the handler\n"), (3, REPORT))
    lines = Logs(quick_cloud(cloud.url), inventory, "staging", inventory.routes).read(NOW - 60)
    assert [(line.route, line.text) for line in lines] == [
        ("get /", "INFO session created 4d1f"),
        ("post /cart", "printed by the handler"),
        ("get /", "12.05 ms, 75 MB, cold start 190.2 ms"),
        ("post /cart", "12.05 ms, 75 MB"),
    ]


def test_older_lines_and_other_routes_are_left_out(cloud: Engine, inventory: Inventory) -> None:
    """By `--since`, and by a route as the manifest names it."""
    write(cloud, inventory, "get-index", (700, "old"), (5, "new"))
    write(cloud, inventory, "post-cart", (5, "of another route"))
    logs = Logs(quick_cloud(cloud.url), inventory, "staging", choose_routes(inventory, ["get", "/"]))
    assert [line.text for line in logs.read(NOW - seconds_of("10m"))] == ["new"]


def test_values_of_variables_are_masked(cloud: Engine, inventory: Inventory) -> None:
    """A handler may print them."""
    write(cloud, inventory, "get-index", (5, "the secret is hunter2-hunter2"))
    hiding = quick_cloud(cloud.url)
    hiding.hide("hunter2-hunter2")
    assert [line.text for line in Logs(hiding, inventory, "staging", inventory.routes).read(NOW - 60)] == [
        "the secret is ********"
    ]


def test_following_shows_each_line_once(cloud: Engine, inventory: Inventory) -> None:
    """Lines that come while it looks again are added."""
    write(cloud, inventory, "get-index", (5, "first"))

    def pause(_seconds: float) -> None:
        group = f"/aws/lambda/{inventory.app}-staging-get-index"
        event = {"timestamp": int(NOW * 1000), "message": "second"}
        cloud.look("logs").put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])

    logs = Logs(quick_cloud(cloud.url), inventory, "staging", inventory.routes, sleep=pause)
    assert [line.text for line in itertools.islice(logs.follow(NOW - 60), 2)] == ["first", "second"]


def test_functions_that_never_ran_have_no_lines(cloud: Engine, inventory: Inventory) -> None:
    """A log group that is not there is not an error."""
    assert Logs(quick_cloud(cloud.url), inventory, "staging", inventory.routes).read(NOW - 60) == []


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_durations(text: str, seconds: int) -> None:
    """A number and a unit."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "1w", "1.5h", "-1m"])
def test_other_durations_are_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(ToolError, match="Write a number and s, m, h or d, such as 10m"):
        seconds_of(text)


def test_an_unknown_route_is_refused_with_the_routes_there_are(inventory: Inventory) -> None:
    """A path alone is enough for a route that is there."""
    assert [one.name for one in choose_routes(inventory, ["/cart"])] == ["post /cart"]
    assert choose_routes(inventory, []) == list(inventory.routes)
    with pytest.raises(ToolError, match=r"Unknown route 'get /nope'. Choose get /, post /cart."):
        choose_routes(inventory, ["get", "/nope"])
