"""A progress line on standard error, by Rich, which keeps it out of files and pipes."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show `description` and the elapsed time inside the block, where standard error is a terminal.

    Yields a function to call with the number of functions done and their total.
    """
    if not sys.stderr.isatty():  # Rich is slow to import.
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as line:
        task = line.add_task(f"{description} …", total=None)
        yield lambda done, total: line.update(task, description=f"{description}: {done} of {total} functions …")
