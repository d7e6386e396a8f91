"""The cost of a session in a sealed cookie, beside peers and the floor."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.environments import OURS, peers, with_speed
from benchmarks.process import ROUNDS, Process, interleave
from benchmarks.results import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.environments import Environment

REFERENCE = "arc-sessions"
NOTE = (
    f"CPU time per call, over {ROUNDS} rounds in processes of their own, interleaved. change: a cookie in an event of "
    "an HTTP API, the session, one change at the top, a Set-Cookie string; Litestar, joserfc, Flask and Django take "
    "and return the cookie's value alone, without event and attributes. read: the same session, looked at and not "
    "changed. count: a whole handler that adds 1 and answers with JSON. The floor is no session library: it splits "
    "the cookie and does base64, AES-GCM and JSON. Starlette, Flask and Django sign and do not encrypt; Flask and "
    "Django compress."
)


def measure(on_progress: Callable[[str], None]) -> list[Table]:
    """Return the table of sealed sessions. Raises `BenchmarkError` if an environment is missing."""
    others = peers()
    candidates: list[tuple[str, Environment, str]] = [
        (REFERENCE, OURS, "arc-sessions"),
        ("arc-sessions[speed]", with_speed(), "arc-sessions"),
        ("architect-functions", others, "architect-functions"),
        ("floor, json", others, "floor-json"),
        ("floor, orjson", others, "floor-orjson"),
        ("Litestar", others, "litestar"),
        ("joserfc, json", others, "joserfc"),
        ("Starlette (signs only)", others, "starlette"),
        ("Flask (signs only)", others, "flask"),
        ("Django (signs only)", others, "django"),
    ]
    with ExitStack() as stack:
        processes = []
        for name, environment, key in candidates:
            on_progress(f"starting {name}")
            processes.append(stack.enter_context(Process(name, environment, "benchmarks.candidates", key)))
        samples = interleave(processes, on_progress)
    rows = [Row.of(_label(operation), name, times, 1e3) for (operation, name), times in samples.items()]
    return [Table("Sealed sessions", NOTE, "µs", rows, REFERENCE)]


def _label(operation: str) -> str:
    """Return `change, 2,206 B` for `change-2206`."""
    name, _, size = operation.partition("-")
    return f"{name}, {int(size):,} B" if size else name
