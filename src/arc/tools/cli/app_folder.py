"""What most commands begin with: the app in a folder, and the cloud that it runs on."""

from __future__ import annotations

import contextlib
import re
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc import inventory as inventories
from arc.inventory.places import find_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud

_is_local = ContextVar("is_local", default=False)
_COMMAND = re.compile(
    r"\barc (?:env(?: verify| remove)?|create|deploy|destroy|logs|open|secret rotate)"
    r"(?: (?:staging|production))+(?! --local)\b|\barc env verify(?! staging| production| --local)\b"
)


def current_app() -> Path:
    """Return the folder of the app that the current folder belongs to, and show it if it is another one.

    Without an app, it is the current folder.
    """
    here = Path.cwd()
    root = find_app(here, home=_home())
    if root != here:
        typer.echo(f"The app is in {root}.", err=True)
    return root


def _home() -> Path | None:
    """Return the user's home folder without links; None for a user without one, as in many containers."""
    try:
        return Path.home().resolve()
    except RuntimeError:
        return None


def read_app(folder: Path | None = None, *, environ: Mapping[str, str] | None = None) -> Inventory:
    """Read the app in `folder`, by default the current one, and show its warnings on standard error, each once.

    `environ` and the errors are those of `arc.inventory.read`.
    """
    inventory = inventories.read(folder or current_app(), environ=environ)
    for warning in dict.fromkeys(inventory.warnings):
        typer.echo(f"Warning: {warning}", err=True)
    return inventory


@contextlib.contextmanager
def chosen_cloud(inventory: Inventory, *, local: bool) -> Iterator[Cloud]:
    """Yield AWS, or the app's local cloud on this machine.

    Raises `ToolError` without a region or profile, and when the local cloud cannot be started.
    """
    from arc.tools.cloud.cloud import aws_cloud, local_cloud

    _is_local.set(local)
    if not local:
        yield aws_cloud(inventory.aws, on_wait=_show)
        return
    from arc.tools.sandbox.cloud.local_tables import region_of
    from arc.tools.sandbox.cloud.shared_cloud import open_local_cloud

    with open_local_cloud(inventory.root, notify=_show) as url:
        yield local_cloud(url, region_of(inventory), on_wait=_show)


def advice(text: str) -> str:
    """Return a message for the user. After `chosen_cloud` with `local`, the commands in it have that option too."""
    return _COMMAND.sub(r"\g<0> --local", text) if _is_local.get() else text


def _show(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201
