"""Measurements as rows, and the tables made of them: on a terminal with Rich, in a file as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal

from rich.table import Table as RichTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INTRODUCTION = (
    "All figures are times: the lower, the better. Ratios compare with the row of the same operation that has 1.00. "
    "Other work on the machine changes the times more than the ratios."
)


@dataclass(frozen=True)
class Row:
    """The times of one operation of one candidate, in the unit of the table."""

    what: str
    who: str
    median: float
    minimum: float

    @classmethod
    def of(cls, what: str, who: str, samples: Iterable[float], divisor: float = 1.0) -> Row:
        """Return the row for `samples`, each divided by `divisor`."""
        times = [sample / divisor for sample in samples]
        return cls(what, who, median(times), min(times))


@dataclass(frozen=True)
class Table:
    """Rows of one kind, all of them times: the lower, the better.

    `reference` is the candidate that is ours: its row of an operation has the ratio 1.00. Without one the table has no
    column of ratios. They are those of the medians or of the minima, as `ratio_of` says.
    """

    title: str
    note: str
    unit: str
    rows: Sequence[Row]
    reference: str | None = None
    ratio_of: Literal["median", "minimum"] = "median"

    def ratio(self, row: Row) -> float | None:
        """Return the ratio of `row` to the reference; None if the reference has no row of this operation."""
        for one in self.rows:
            if (one.what, one.who) == (row.what, self.reference):
                return float(getattr(row, self.ratio_of) / getattr(one, self.ratio_of))
        return None

    def header(self) -> list[str]:
        """Return the names of the columns: two of words, then those of numbers."""
        ratio = ["× ours"] if self.reference else []
        return ["operation", "candidate", f"median, {self.unit}", "[minimum]", *ratio]

    def cells(self) -> list[list[str]]:
        """Return the text of every row; an operation is named in its first row alone."""
        lines, last = [], ""
        for row in self.rows:
            ratio = self.ratio(row)
            cells = [
                "" if row.what == last else row.what,
                row.who,
                _format_time(row.median),
                f"[{_format_time(row.minimum)}]",
            ]
            if self.reference:
                cells.append("" if ratio is None else f"{ratio:.2f}")
            lines.append(cells)
            last = row.what
        return lines


def _format_time(value: float) -> str:
    """Return a time with three significant digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def as_rich(table: Table) -> RichTable:
    """Return `table` for a terminal."""
    rich = RichTable(title=table.title, caption=table.note, title_justify="left", caption_justify="left")
    for number, name in enumerate(table.header()):
        rich.add_column(name.replace("[", r"\["), justify="right" if number >= 2 else "left", no_wrap=True)
    last = None
    for row, cells in zip(table.rows, table.cells(), strict=True):
        if last is not None and row.what != last:
            rich.add_section()
        rich.add_row(*(cell.replace("[", r"\[") for cell in cells))
        last = row.what
    return rich


def as_markdown(
    tables: Iterable[Table], *, date: str, machine: str, python: str, versions: Mapping[str, Sequence[str]]
) -> str:
    """Return a page with the date, the machine, the versions of what was measured, and all tables."""
    lines = [
        "# Results of `make bench`",
        "",
        f"- {date}",
        f"- {machine}",
        f"- {python}",
        *(f"- {name}: {', '.join(packages)}" for name, packages in versions.items()),
        "",
        INTRODUCTION,
    ]
    for table in tables:
        header = table.header()
        rows = [header, [":--" if number < 2 else "--:" for number in range(len(header))], *table.cells()]
        lines += ["", f"## {table.title}", "", table.note, ""]
        lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(lines) + "\n"
