"""How fast the sandbox is: `python benchmarks/sandbox.py` prints one table.

Measured from outside, on the counter of `examples/`: a raw asyncio client sends the next request when the last
one is answered. The client shares the machine with the sandbox, so real numbers are a little better.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

COUNTER = Path(__file__).parents[1] / "examples" / "counter"
START = "import pathlib, sys; from arc.tools.sandbox import serve; serve(pathlib.Path(sys.argv[1]), port=0)"
WARM_UP, REQUESTS, CLIENTS = 200, 4000, 8


class Row(NamedTuple):
    """One line of the table."""

    what: str
    found: str
    goal: str


class Client:
    """One kept-alive connection that counts in a session, as a browser does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._cookie = b""

    @classmethod
    async def connect(cls, port: int) -> Client:
        """A client of the sandbox on `port`."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def request(self, line: bytes) -> float:
        """Send a request without a body; the seconds until its answer was complete."""
        cookie = b"cookie: " + self._cookie + b"\r\n" if self._cookie else b""
        begun = time.perf_counter()
        self._writer.write(line + b" HTTP/1.1\r\nhost: localhost\r\n" + cookie + b"content-length: 0\r\n\r\n")
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        await self._reader.readexactly(_number(rb"content-length: (\d+)", head))
        took = time.perf_counter() - begun
        if _number(rb"http/1.1 (\d+)", head) >= 400:
            sys.exit(f"{line.decode()} failed:\n{head.decode()}")
        return took

    async def count(self, requests: int) -> list[float]:
        """The times of so many counts."""
        return [await self.request(b"POST /count") for _ in range(requests)]

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def _number(pattern: bytes, head: bytes) -> int:
    found = re.search(pattern, head)
    return int(found[1]) if found else 0


async def measure(port: int) -> list[Row]:
    """The rows that one running sandbox gives."""
    client = await Client.connect(port)
    first = await client.request(b"GET /")
    await client.count(WARM_UP)
    alone = sorted(await client.count(REQUESTS))
    client.close()
    clients = [await Client.connect(port) for _ in range(CLIENTS)]
    begun = time.perf_counter()
    together = await asyncio.gather(*(client.count(REQUESTS // CLIENTS) for client in clients))
    rate = sum(map(len, together)) / (time.perf_counter() - begun)
    for client in clients:
        client.close()
    return [
        Row("first response of a cold function", f"{first * 1e3:.0f} ms", ""),
        Row("one client, median", f"{median(alone) * 1e3:.2f} ms", "under 2 ms"),
        Row("one client, 99th percentile", f"{quantiles(alone, n=100)[98] * 1e3:.2f} ms", ""),
        Row(f"{CLIENTS} clients", f"{rate:.0f} requests/s", "over 500"),
    ]


def main() -> None:
    """Start a sandbox, measure it, print the table, end it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ARC_", "AWS_"))}
    begun = time.perf_counter()
    sandbox = subprocess.Popen(
        [sys.executable, "-c", START, str(COUNTER)], stdout=subprocess.PIPE, text=True, env=environ
    )
    assert sandbox.stdout is not None
    try:
        listening = next((line for line in sandbox.stdout if "listens on" in line), "")
        port = int(_number(rb"127\.0\.0\.1:(\d+)", listening.encode()))
        ready = time.perf_counter() - begun
        rows = asyncio.run(measure(port))
    finally:
        sandbox.send_signal(signal.SIGINT)
        sandbox.communicate()
    rows = [Row("start until it listens", f"{ready * 1e3:.0f} ms", "with the first response under 1 s"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print(f"arc sandbox, POST /count of examples/counter, {sys.version.split()[0]}, {os.cpu_count()} cores")
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
