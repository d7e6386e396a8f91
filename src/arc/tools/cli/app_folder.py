"""What most commands begin with: the app in a folder, and the cloud that it runs on."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arc import inventory as inventories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from arc.inventory import Inventory
    from arc.tools.cloud.cloud import Cloud


def read_app(folder: Path = Path(), *, environ: Mapping[str, str] | None = None) -> Inventory:
    """Read the app in `folder`, and show its warnings on standard error, each once.

    `environ` and the errors are those of `arc.inventory.read`.
    """
    inventory = inventories.read(folder, environ=environ)
    for warning in dict.fromkeys(inventory.warnings):
        typer.echo(f"Warning: {warning}", err=True)
    return inventory


@contextlib.contextmanager
def chosen_cloud(inventory: Inventory, *, local: bool) -> Iterator[Cloud]:
    """Yield AWS, or the app's local cloud on this machine.

    Raises `ToolError` without a region or profile, and when the local cloud cannot be started.
    """
    from arc.tools.cloud.cloud import aws_cloud, local_cloud

    if not local:
        yield aws_cloud(inventory.aws, on_wait=_show)
        return
    from arc.tools.sandbox.cloud.local_tables import region_of
    from arc.tools.sandbox.cloud.shared_cloud import open_local_cloud

    with open_local_cloud(inventory.root, notify=_show) as url:
        yield local_cloud(url, region_of(inventory), on_wait=_show)


def _show(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201
