"""The `arc` command. Each command has a file of its own and imports what it runs when it runs."""

from __future__ import annotations

from arc.tools.cli.command_line import main

__all__ = ["main"]
