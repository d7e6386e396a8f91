"""The fenced blocks of a Markdown page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text and the line it begins at."""

    language: str
    text: str
    line: int


def blocks(page: Path, language: str) -> list[Block]:
    """The blocks of `page` in one language."""
    text = page.read_text()
    return [
        Block(found[1], found[2], text[: found.start()].count("\n") + 2)
        for found in _FENCE.finditer(text)
        if found[1] == language
    ]


def transcript(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output shown for it."""
    commands: list[tuple[str, str]] = []
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append((line[2:].strip(), ""))
        else:
            command, shown = commands[-1]
            commands[-1] = (command, shown + line)
    return commands


def matches(shown: str, real: str) -> bool:
    """True when `real` is as shown, where an ellipsis stands for any text, lines included."""
    pattern = re.escape(shown.strip()).replace("…", ".*")
    return re.fullmatch(pattern, real.strip().replace("\r", ""), re.DOTALL) is not None
