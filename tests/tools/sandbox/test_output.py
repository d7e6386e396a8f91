"""What workers print on its way to the terminal."""

from __future__ import annotations

import asyncio
import io
import re
import threading
import time

from arc.tools.sandbox.terminal import Output, Terminal


class SlowStream(io.StringIO):
    """A terminal that stands still until it is let go."""

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
    """What the terminal shows after these bytes have come from a worker of `get /`."""
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


def test_lines_are_marked_wherever_the_chunks_end() -> None:
    """Also inside of a character."""
    text = "höhe\nwidth\n".encode()
    expected = "get / | höhe\nget / | width\n"
    assert all(printed(text[:cut], text[cut:]) == expected for cut in range(len(text)))


def test_a_line_without_an_end_appears_after_a_moment() -> None:
    """A prompt or a progress bar is not kept back for ever."""
    assert printed(b"no end") == ""
    assert printed(b"no end", wait=0.4) == "get / | no end\n"
    assert printed(b"no end", then="flush") == "get / | no end\n"


def test_a_line_of_any_length_uses_little_memory() -> None:
    """It is cut."""
    shown = printed(*[b"x" * 1000] * 40)
    assert shown.startswith("get / | xxx")
    assert len(shown) > 30_000


def test_reports_of_awslambdaric_are_readable() -> None:
    """Their carriage returns and no-break spaces become lines and spaces."""
    report = "[ERROR] X: y\rTraceback\r\u00a0\u00a0File\n".encode()
    assert printed(report) == "get / | [ERROR] X: y\nget / | Traceback\nget / |   File\n"


def test_held_lines_appear_when_released_and_never_when_discarded() -> None:
    """What a half-written file says while it is imported is nobody's concern."""
    assert printed(b"a\n", hold=True) == ""
    assert printed(b"a\n", hold=True, then="release") == "get / | a\n"
    assert printed(b"a\n", hold=True, then="discard") == ""


def test_a_terminal_that_stands_still_blocks_nobody_and_says_what_was_left_out() -> None:
    """Ten megabytes are taken at once; some lines are lost and their number is told."""
    stream = SlowStream()
    terminal = Terminal(stream)
    terminal.say("first")
    assert stream.stands.wait(30)
    for _ in range(10):
        terminal.lines("get /", ["x" * 1_000_000])
    stream.go.set()
    terminal.close(30)
    assert "first\nget / | x" in stream.getvalue()
    assert len(stream.getvalue()) < 8_100_000


def test_left_out_lines_are_counted_once_there_is_room_again() -> None:
    """The next line is preceded by their number."""
    stream = SlowStream()
    terminal = Terminal(stream)
    terminal.say("first")
    assert stream.stands.wait(30)
    terminal.say("x" * 7_999_990)
    terminal.lines("get /", ["lost", "lost too"])
    stream.go.set()
    end = time.monotonic() + 30
    while "left out" not in stream.getvalue() and time.monotonic() < end:
        terminal.lines("get /", ["more"])
        time.sleep(0.01)
    terminal.close(30)
    shown = stream.getvalue()
    assert re.search(r"… \d+ lines left out: the terminal did not keep up\nget / \| more\n", shown)
    assert "lost" not in shown
