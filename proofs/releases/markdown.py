"""``cases/history/README.md``: the table for people who read the repository."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lossproof.history.explanations import Explanation
from lossproof.history.table import Cell, Row, Table
from lossproof.reporting.text import count, escaped

_ABOUT = """\
# Which torch does what

Written by `make history` from the runs on record here, one a release: the whole corpus, on the processor.

- **A known defect** shows (◆), or its checks agree (-). Nothing stands where they do not run, as the release
  lacks the loss.
- **A convention** is a choice that torch's documents leave open, such as the gradient exactly on a bound.

Each change has its reason in [changes.yaml](changes.yaml)."""


def history_markdown(table: Table) -> str:
    """The text of the page."""
    lines = [_ABOUT]
    if table.changes:
        lines += ["", "## What the releases changed", *_changes(table)]
    for heading, noun, rows in (
        ("Known defects by cause", "cause", table.defects),
        ("Conventions", "convention", table.conventions),
    ):
        if rows:
            lines += ["", f"## {heading}", "", *_rows(rows, noun, table)]
    if not table.releases:
        lines += ["", "No release is on record yet."]
    return "\n".join(lines) + "\n"


def _changes(table: Table) -> Iterable[str]:
    for place, release in enumerate(table.releases):
        if explanations := table.explained(place):
            yield from ("", f"### torch {release}", "")
        for reasons, rows in explanations.items():
            yield f"- {' '.join(map(_reason, reasons)) or 'Not explained yet.'}"
            yield from (f"  - {escaped(row.name)}: {escaped(row.change(place))}" for row in rows)


def _reason(explanation: Explanation) -> str:
    source = f"No report found (searched: {escaped(explanation.searched)})."
    if explanation.link:
        source = f"Reported: {explanation.link}"
    return f"{escaped(explanation.what)} {source}"


def _rows(rows: Sequence[Row], noun: str, table: Table) -> Iterable[str]:
    changed = [row for row in rows if row.changed]
    same = [row for row in rows if not row.changed]
    if changed:
        numbers = [sum(place in row.changed for row in rows) for place in range(len(table.releases))]
        yield from _table(changed, table.releases, ["**changed with the release**", *_counts(numbers)])
    if same:
        summary = f"{count(len(same), noun)} that no release changed"
        yield from (
            *([""] if changed else []),
            f"<details><summary>{summary}</summary>",
            "",
            *_table(same, table.releases),
            "",
            "</details>",
        )


def _table(rows: Sequence[Row], releases: Sequence[str], first: Sequence[str] = ()) -> Iterable[str]:
    yield f"| | {' | '.join(releases)} |"
    yield "|---" + "|:-:" * len(releases) + "|"
    if first:
        yield f"| {' | '.join(first)} |"
    for row in rows:
        kind = "" if row.kind in ("", "defect") else f" ({row.kind})"
        yield f"| {' | '.join([escaped(row.name) + kind, *map(_cell, row.cells)])} |"


def _counts(numbers: Iterable[int]) -> Iterable[str]:
    return (str(number) if number else "" for number in numbers)


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escaped(cell)
    return "" if cell is None else "◆" if cell else "-"
