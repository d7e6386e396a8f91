"""The directive `arc-commands`: a section for each command, with the text of its `--help`."""

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.core import TyperGroup

from arc.tools.cli.command_line import app as command_line

_WIDTH = 80  # characters, as in a terminal


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("arc-commands", Commands)
    return {"parallel_read_safe": True}


class Commands(SphinxDirective):
    """Sections that are made of the command line itself, so that the page cannot differ from it."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.note_reread()  # in every build: no file that Sphinx watches says when a command has changed
        command = typer.main.get_command(command_line)
        return [self._section(context) for context in _contexts(command, "arc", **command.context_settings)]

    def _section(self, context: Any) -> nodes.section:
        path = context.command_path
        section = nodes.section(ids=[path.replace(" ", "-")], names=[path])
        self.state.document.note_explicit_target(section, section)
        section += nodes.title(path, "", nodes.literal(path, path))
        text = context.get_help()
        section += nodes.literal_block(text, text, language="text")
        return section


def _contexts(command: Any, name: str, parent: Any = None, **settings: Any) -> Iterator[Any]:
    """Yield what Click calls a context, which can print its help, for a command and each one below it."""
    context = command.context_class(
        command, parent=parent, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH, **settings
    )
    yield context
    if isinstance(command, TyperGroup):
        for below, one in command.commands.items():
            if not one.hidden:
                yield from _contexts(one, below, context)
