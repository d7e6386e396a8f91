"""The logs of deployed functions, in one stream."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from arc.errors import ToolError
from arc.tools.cloud.cloud import Refused
from arc.tools.deploy.template import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from arc.inventory import Inventory, Route
    from arc.tools.cloud.cloud import Cloud

_PAUSE = 2.0  # seconds between two looks
_OVERLAP = 10_000  # milliseconds that are read again: CloudWatch shows lines late and out of order
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SINCE = re.compile(r"([0-9]+)([smhd])")
_OF_LAMBDA = ("START RequestId: ", "END RequestId: ", "INIT_START ")
# Lambda's format of Python's logging: [LEVEL], time, request id, message.
_LOGGED = re.compile(r"\[(\w+)\]\t[^\t]+Z\t[^\t]*\t(.*)", re.DOTALL)
_REPORT = re.compile(
    r"REPORT RequestId: \S+\s+Duration: (\S+) ms.*?Max Memory Used: (\d+) MB(?:.*?Init Duration: (\S+) ms)?", re.DOTALL
)


@dataclass(frozen=True)
class Line:
    """One line of a function's log; `at` is Unix seconds."""

    at: float
    route: str
    text: str

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.at, UTC).strftime("%H:%M:%S")
        return f"{moment}  {self.route:16} {self.text}"


def seconds_of(text: str) -> int:
    """The seconds that `10m`, `2h`, `30s` or `1d` stands for. Raises `ToolError`."""
    found = _SINCE.fullmatch(text)
    if found is None:
        raise ToolError(f"Unknown duration '{text}'. Write a number and s, m, h or d, such as 10m.")
    return int(found[1]) * _UNITS[found[2]]


def choose_routes(inventory: Inventory, words: Sequence[str]) -> list[Route]:
    """The routes that `words` name (`get /cart`, `/cart`), all without words. Raises `ToolError`."""
    named = " ".join(words).lower()
    if not named:
        return list(inventory.routes)
    found = [one for one in inventory.routes if named in (one.name.lower(), one.path.lower())]
    if not found:
        raise ToolError(f"Unknown route '{named}'. Choose {', '.join(one.name for one in inventory.routes)}.")
    return found


class Logs:
    """The logs of `routes`' functions in an environment. Methods raise what `Cloud.call` raises."""

    def __init__(
        self,
        cloud: Cloud,
        inventory: Inventory,
        environment: str,
        routes: Iterable[Route],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cloud, self._clock, self._sleep = cloud, clock, sleep
        self._groups = {f"/aws/lambda/{function_name(inventory.app, environment, one)}": one.name for one in routes}

    def read(self, since: float) -> list[Line]:
        """Every line since `since`, Unix seconds, in the order of time."""
        return [line for _, line in self._new(int(since * 1000), set())]

    def follow(self, since: float) -> Iterator[Line]:
        """Lines as they come, without an end."""
        seen: set[str] = set()
        start = int(since * 1000)
        while True:
            for moment, line in self._new(start, seen):
                start = max(start, moment - _OVERLAP)
                yield line
            self._sleep(_PAUSE)

    def _new(self, start: int, seen: set[str]) -> list[tuple[int, Line]]:
        found = []
        for group, route in self._groups.items():
            for event in self._events(group, start):
                message, moment = str(event["message"]), int(event["timestamp"])
                identity = event.get("eventId") or f"{group} {moment} {message}"
                text = "" if identity in seen else _readable(message)
                if text:
                    found.append((moment, Line(moment / 1000, route, self._cloud.masked(text))))
                seen.add(identity)
        return sorted(found, key=lambda pair: pair[0])

    def _events(self, group: str, start: int) -> list[dict[str, Any]]:
        try:
            return list(
                self._cloud.pages(
                    "logs",
                    "filter_log_events",
                    f"Reading {group}",
                    key="events",
                    tokens=("nextToken", "nextToken"),
                    logGroupName=group,
                    startTime=start,
                )
            )
        except Refused as refused:
            if refused.code == "ResourceNotFoundException":
                return []
            raise


def _readable(message: str) -> str:
    """A message without what Lambda adds; empty for Lambda's own lines, except the times of an invocation."""
    text = message.rstrip()
    if text.startswith(_OF_LAMBDA):
        return ""
    if (report := _REPORT.match(text)) is not None:
        cold = f", cold start {report[3]} ms" if report[3] else ""
        return f"{report[1]} ms, {report[2]} MB{cold}"
    logged = _LOGGED.fullmatch(text)
    return f"{logged[1]} {logged[2]}" if logged is not None else text
