"""The output of all verbs: text, tables, mistakes, and progress that only a terminal shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from lossproof.reporting.text import visible

# A cell of a table: its text, perhaps with a style for terminals.
Cell = str | tuple[str, str]
Row = tuple[Cell, ...]

HEADING = "bold"
QUIET = "dim"
GOOD = "green"
BAD = "bold red"


class Mistake(Exception):
    """A mistake of the user, for whom the message is written. The exit status is 2."""


def say(text: str = "", style: str = "") -> None:
    """Write lines to standard output, never wrapped, so that a pipe gets what a terminal shows."""
    Console(highlight=False).print(Text(visible(text), style), soft_wrap=True)


def complain(text: str) -> None:
    """Write lines to standard error."""
    Console(stderr=True, highlight=False).print(Text(visible(text), BAD), soft_wrap=True)


def remark(text: str) -> None:
    """Write lines that are no part of the answer to standard error, so that a pipe gets the answer alone."""
    Console(stderr=True, highlight=False).print(Text(visible(text), QUIET), soft_wrap=True)


def say_table(rows: Sequence[Row], indent: str = "", cut: bool = False) -> None:
    """Write rows with aligned columns; ``cut`` truncates each row to the width of a terminal."""
    console = Console(highlight=False)
    pairs = [[(cell, "") if isinstance(cell, str) else cell for cell in row] for row in rows]
    texts = [[(visible(text), style) for text, style in row] for row in pairs]
    widths = [max(len(text) for text, _ in column) for column in zip(*texts, strict=True)]
    lines = []
    for row in texts:
        line = Text(indent)
        for (text, style), width in zip(row[:-1], widths, strict=False):
            line.append(text, style).append(" " * (width - len(text) + 2))
        line.append(*row[-1])
        line.rstrip()
        if cut and console.file.isatty():
            line.truncate(console.width, overflow="ellipsis")
        lines.append(line)
    console.print(Text("\n").join(lines), soft_wrap=True)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show a progress bar, or a label if there is no total, and yield a function that advances it.

    The bar appears on standard error, if that is a terminal, and disappears afterwards.
    """
    console = Console(stderr=True)
    if not (console.is_interactive and console.file.isatty()):
        yield lambda: None
        return
    # Here, since few verbs take long enough for a bar, and few run on a terminal.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns[: 2 if total is None else None], console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
