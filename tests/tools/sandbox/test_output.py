"""The output of workers on its way to the terminal."""

from __future__ import annotations

import asyncio
import io
import re
import threading
import time

from arc.tools.sandbox.terminal import Output, Terminal


class SlowStream(io.StringIO):
    """A terminal that blocks until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.stands = threading.Event()

    def write(self, text: str) -> int:
        """Wait, then write."""
        self.stands.set()
        assert self.go.wait(30)
        return super().write(text)


def printed(*chunks: bytes, wait: float = 0, hold: bool = False, then: str = "") -> str:
    """Return what the terminal shows after a worker of `get /` has printed these bytes."""
    stream = io.StringIO()
    terminal = Terminal(stream)

    async def feed() -> None:
        output = Output(terminal, "get /")
        if hold:
            output.hold()
        for chunk in chunks:
            output.feed(chunk)
        if then:
            getattr(output, then)()
        await asyncio.sleep(wait)

    asyncio.run(feed())
    terminal.close(30)
    return stream.getvalue()


def test_lines_are_labeled_wherever_chunks_end() -> None:
    """A chunk may even end inside a character."""
    text = "höhe\nwidth\n".encode()
    expected = "get / | höhe\nget / | width\n"
    assert all(printed(text[:cut], text[cut:]) == expected for cut in range(len(text)))


def test_unfinished_line_appears_after_a_moment() -> None:
    """Prompts and progress bars are therefore visible."""
    assert printed(b"no end") == ""
    assert printed(b"no end", wait=0.4) == "get / | no end\n"
    assert printed(b"no end", then="flush") == "get / | no end\n"


def test_long_lines_are_split() -> None:
    """This limits the use of memory."""
    shown = printed(*[b"x" * 1000] * 40)
    assert shown.startswith("get / | xxx")
    assert len(shown) > 30_000


def test_error_reports_of_awslambdaric_are_readable() -> None:
    """Their carriage returns and no-break spaces become line breaks and spaces."""
    report = "[ERROR] X: y\rTraceback\r\u00a0\u00a0File\n".encode()
    assert printed(report) == "get / | [ERROR] X: y\nget / | Traceback\nget / |   File\n"


def test_held_lines_are_released_or_discarded() -> None:
    """They may come from a process that has read a half-written file."""
    assert printed(b"a\n", hold=True) == ""
    assert printed(b"a\n", hold=True, then="release") == "get / | a\n"
    assert printed(b"a\n", hold=True, then="discard") == ""


def test_blocked_terminal_blocks_no_writer() -> None:
    """Ten megabytes are accepted at once, and some of them are dropped."""
    stream = SlowStream()
    terminal = Terminal(stream)
    terminal.say("first")
    assert stream.stands.wait(30)
    for _ in range(10):
        terminal.write_lines("get /", ["x" * 1_000_000])
    stream.go.set()
    terminal.close(30)
    assert "first\nget / | x" in stream.getvalue()
    assert len(stream.getvalue()) < 8_100_000


def test_number_of_dropped_lines_is_printed() -> None:
    """It precedes the next line that fits into the buffer."""
    stream = SlowStream()
    terminal = Terminal(stream)
    terminal.say("first")
    assert stream.stands.wait(30)
    terminal.say("x" * 7_999_990)
    terminal.write_lines("get /", ["lost", "lost too"])
    stream.go.set()
    end = time.monotonic() + 30
    while "dropped" not in stream.getvalue() and time.monotonic() < end:
        terminal.write_lines("get /", ["more"])
        time.sleep(0.01)
    terminal.close(30)
    shown = stream.getvalue()
    assert re.search(r"… \d+ lines dropped: the terminal did not keep up\nget / \| more\n", shown)
    assert "lost" not in shown
