"""How fast the sandbox serves the counter of `examples/`, measured from outside.

A raw asyncio client sends a request when the one before is answered. It shares the machine with the sandbox, so real
figures are a little better.
"""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.environments import OURS, ROOT, BenchmarkError
from benchmarks.results import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNTER = ROOT / "examples" / "counter"
START = "import pathlib, sys; from arc.tools.sandbox.server import serve; serve(pathlib.Path(sys.argv[1]), port=0)"
WARM_UP, REQUESTS, CLIENTS, STARTS = 200, 1000, 8, 5
LISTENING, FIRST = "start until it listens", "first response of a function"
MEDIAN, SLOWEST = "one client, median", "one client, 99th percentile"
TOGETHER = f"{CLIENTS} clients, elapsed per request"
NOTE = (
    f"Milliseconds by the clock, of {STARTS} starts with {REQUESTS:,} requests by one client and as many by {CLIENTS}: "
    "POST /count of examples/counter. The goals: a start and its first response within 1,000 ms, a request within "
    "2 ms, and 500 requests per second, which is 2 ms elapsed per request."
)


class Client:
    """A persistent connection that counts in a session, as a browser does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._cookie = b""

    @classmethod
    async def connect(cls, port: int) -> Client:
        """Return a client of the sandbox on `port`."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def request(self, line: bytes) -> float:
        """Send a request without a body; return the milliseconds until its response was complete."""
        cookie = b"cookie: " + self._cookie + b"\r\n" if self._cookie else b""
        start = time.perf_counter()
        self._writer.write(line + b" HTTP/1.1\r\nhost: localhost\r\n" + cookie + b"content-length: 0\r\n\r\n")
        head = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(_number(rb"content-length: (\d+)", head))
        elapsed = (time.perf_counter() - start) * 1e3
        if _number(rb"HTTP/1.1 (\d+)", head) >= 400:
            raise BenchmarkError(f"{line.decode()} failed:\n{head.decode()}")
        if sealed := re.search(rb"set-cookie: ([^;\r]+)", head, re.IGNORECASE):
            self._cookie = sealed[1]
        return elapsed

    async def count(self, requests: int) -> list[float]:
        """Return the times of so many counts."""
        return [await self.request(b"POST /count") for _ in range(requests)]

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def _number(pattern: bytes, head: bytes) -> int:
    found = re.search(pattern, head, re.IGNORECASE)
    return int(found[1]) if found else 0


async def _times(port: int) -> dict[str, float]:
    """Return the milliseconds that a running sandbox takes, by operation."""
    client = await Client.connect(port)
    first = await client.request(b"GET /")
    await client.count(WARM_UP)
    alone = await client.count(REQUESTS)
    client.close()
    clients = [await Client.connect(port) for _ in range(CLIENTS)]
    start = time.perf_counter()
    together = await asyncio.gather(*(client.count(REQUESTS // CLIENTS) for client in clients))
    elapsed = (time.perf_counter() - start) * 1e3 / sum(map(len, together))
    for client in clients:
        client.close()
    return {FIRST: first, MEDIAN: median(alone), SLOWEST: quantiles(alone, n=100)[98], TOGETHER: elapsed}


@contextmanager
def _sandbox() -> Iterator[int]:
    """Run a sandbox of the counter; yield its port."""
    sandbox = subprocess.Popen(
        [OURS.python, "-c", START, str(COUNTER)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": OURS.variables()["PATH"]},
        process_group=0,
    )
    assert sandbox.stdout is not None
    try:
        listening = next((line for line in sandbox.stdout if "listens on" in line), "")
        port = _number(rb"127\.0\.0\.1:(\d+)", listening.encode())
        if not port:
            raise BenchmarkError("The sandbox did not start; its error is above.")
        yield port
    finally:
        sandbox.send_signal(signal.SIGINT)
        sandbox.communicate()


def measure(on_progress: Callable[[str], None]) -> list[Table]:
    """Return the table of the sandbox."""
    samples: dict[str, list[float]] = {LISTENING: []}
    for number in range(STARTS):
        on_progress(f"start {number + 1} of {STARTS}")
        start = time.perf_counter()
        with _sandbox() as port:
            samples[LISTENING].append((time.perf_counter() - start) * 1e3)
            for what, elapsed in asyncio.run(_times(port)).items():
                samples.setdefault(what, []).append(elapsed)
    return [Table("Sandbox", NOTE, "ms", [Row.of(what, "arc sandbox", times) for what, times in samples.items()])]
