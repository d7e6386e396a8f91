"""`python -m benchmarks` measures everything and writes RESULTS.md; `python -m benchmarks PART…` only prints parts."""

from __future__ import annotations

import argparse
import platform
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from benchmarks import cold, database, environments, results, sandbox, sealed
from benchmarks.environments import ROOT, BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARTS: dict[str, Callable[[Callable[[str], None]], list[results.Table]]] = {
    "sealed": sealed.measure,
    "cold": cold.measure,
    "database": database.measure,
    "sandbox": sandbox.measure,
}
RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def measure(part: str, progress: Console) -> list[results.Table]:
    """Return the tables of `part`, and show on `progress` what is being measured. Raises `BenchmarkError`."""
    if not progress.is_terminal:
        print(f"Measuring {part} …", file=sys.stderr, flush=True)
    with progress.status(part) as status:
        return PARTS[part](lambda text: status.update(Text(f"{part}: {text}")))


def page(tables: Sequence[results.Table]) -> str:
    """Return the text of RESULTS.md."""
    return results.as_markdown(
        tables,
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        machine=environments.describe_machine(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions=environments.list_versions(),
    )


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print the selected parts, or all and write RESULTS.md; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure sessions and the sandbox beside peers."
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; without one, all, and RESULTS.md is written"
    )
    selected = parser.parse_args(words).parts
    for part in selected:
        if part not in PARTS:
            parser.error(f"unknown part {part!r}: choose from {', '.join(PARTS)}")
    progress, console = Console(stderr=True), Console()
    tables = []
    try:
        for part in selected or PARTS:
            for table in measure(part, progress):
                console.print(results.as_rich(table), "")
                tables.append(table)
        if not selected:
            RESULTS.write_text(page(tables), encoding="utf-8")
            console.print(f"Wrote {RESULTS.relative_to(ROOT)}.")
    except BenchmarkError as error:
        progress.print(Text(str(error), "red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        progress.print(f"Interrupted; {RESULTS.relative_to(ROOT)} is unchanged.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
