"""The fenced blocks of a Markdown page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^(`{3,})([^`\n]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, its line on the page, and the expected output."""

    language: str
    text: str
    line: int
    shown: str | None = None


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of `page` in these languages; an `output` block belongs to the one directly above it."""
    text = page.read_text()
    found: list[Block] = []
    end = 0
    for fence in _FENCE.finditer(text):
        block = Block(fence[2].strip(), fence[3], text[: fence.start()].count("\n") + 2)
        if block.language == "output" and found and not text[end : fence.start()].strip():
            before = found.pop()
            block = Block(before.language, before.text, before.line, block.text)
        found.append(block)
        end = fence.end()
    return [block for block in found if block.language in languages]


def transcript(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with its output."""
    commands: list[tuple[str, str]] = []
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append((line[2:].strip(), ""))
        else:
            assert commands, f"line {block.line}: a console block begins with a command, '$ …'"
            command, shown = commands[-1]
            commands[-1] = (command, shown + line)
    return commands
