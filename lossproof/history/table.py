"""Builds the table of defects and conventions by release, and finds the changes of each release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import pairwise

from lossproof.corpus.case import KnownDefect
from lossproof.corpus.files import HISTORY
from lossproof.history.explanations import FILE, Explanation
from lossproof.history.release import Release
from lossproof.reporting.causes import causes
from lossproof.subjects.registry import default_subjects

Cell = int | str | None
_FILE = f"{HISTORY}/{FILE}"


@dataclass(frozen=True)
class Row:
    """A cause or a convention in all releases.

    Attributes:
        name: the cause, or the name of the convention.
        kind: for a cause, its kind (defect, undefined or convention); for a convention, empty.
        cells: one per release: for a cause, the number of checks that show it; for a convention, the pick;
            None if the release lacks the loss.
    """

    name: str
    kind: str
    cells: tuple[Cell, ...]

    @property
    def changed(self) -> tuple[int, ...]:
        """The places of the releases that differ from the last known one before them."""
        known = [place for place, cell in enumerate(self.cells) if cell is not None]
        return tuple(now for was, now in pairwise(known) if self._differ(was, now))

    def change(self, place: int) -> str:
        """The change in a release, in words."""
        if self.kind:
            return "came" if self.cells[place] else "went"
        before = next(cell for cell in reversed(self.cells[:place]) if cell is not None)
        return f"{self.cells[place]}, was {before}"

    def _differ(self, was: int, now: int) -> bool:
        old, new = self.cells[was], self.cells[now]
        # The number of checks that show a cause depends on the corpus, so only zero counts.
        return bool(old) != bool(new) if self.kind else old != new


@dataclass(frozen=True)
class Change:
    """A row that a release changed: the place of the release, the row and its explanations."""

    place: int
    row: Row
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True)
class Table:
    """The table of all releases on record.

    Attributes:
        releases: the name of each release, the oldest first: 2.6, or 2.6.1 if 2.6.0 is on record as well.
        defects, conventions: the rows, the changed ones first.
        changes: the changes, the oldest first.
        problems: sentences on changes without an explanation, and on explanations without a change.
    """

    releases: tuple[str, ...]
    defects: tuple[Row, ...]
    conventions: tuple[Row, ...]
    changes: tuple[Change, ...]
    problems: tuple[str, ...]

    def explained(self, place: int) -> dict[tuple[Explanation, ...], list[Row]]:
        """The rows that the release at a place changed, by their explanations, of which there may be none."""
        rows_by_reason: dict[tuple[Explanation, ...], list[Row]] = {}
        for change in self.changes:
            if change.place == place:
                rows_by_reason.setdefault(change.explanations, []).append(change.row)
        return rows_by_reason


def table_of(
    releases: Sequence[Release], entries: Iterable[KnownDefect], explanations: Sequence[Explanation]
) -> Table:
    """Build the table of some releases, the oldest first; known defects state the kind of each cause."""
    kinds: dict[str, str] = {}
    subjects = default_subjects()
    of_torch = [entry for entry in entries if any(fnmatch(name, entry.subject) for name in subjects)]
    for cause in causes(map(vars, of_torch)):
        kinds.setdefault(cause["why"], cause["kind"])
    defects = _rows([release.defects for release in releases], kinds, "defect")
    conventions = _rows([release.conventions for release in releases], {}, "")
    changes = [
        Change(place, row, tuple(one for one in explanations if _speaks_of(one, release, row)))
        for place, release in enumerate(releases)
        for row in (*defects, *conventions)
        if place in row.changed
    ]
    labels = _labels(releases)
    problems = [*_unexplained(changes, labels), *_unused_explanations(explanations, changes)]
    return Table(labels, defects, conventions, tuple(changes), tuple(problems))


def _rows(columns: Sequence[Mapping[str, Cell]], kinds: Mapping[str, str], kind: str) -> tuple[Row, ...]:
    """A row per name, in the order of ``kinds``, the changed ones first."""
    names = {name for cells in columns for name in cells}
    ordered = [*(name for name in kinds if name in names), *sorted(names - kinds.keys())]
    rows = [Row(name, kinds.get(name, kind), tuple(cells.get(name) for cells in columns)) for name in ordered]
    return tuple(sorted(rows, key=lambda row: not row.changed))


def _labels(releases: Sequence[Release]) -> tuple[str, ...]:
    short = [".".join(map(str, release.version.release[:2])) for release in releases]
    counts = Counter(short)
    return tuple(
        release.torch if counts[label] > 1 else label for label, release in zip(short, releases, strict=True)
    )


def _speaks_of(explanation: Explanation, release: Release, row: Row) -> bool:
    numbers = tuple(map(int, explanation.release.split(".")))
    names = explanation.defects if row.kind else explanation.conventions
    return release.version.release[: len(numbers)] == numbers and row.name in names


def _unexplained(changes: Iterable[Change], labels: Sequence[str]) -> Iterable[str]:
    for change in changes:
        if not change.explanations:
            row, place = change.row, change.place
            yield (
                f"torch {labels[place]} changed the {_noun(row.kind)} '{row.name}' ({row.change(place)}) and "
                f"{_FILE} does not say why; search PyTorch's issues for it, and write there what you found"
            )


def _unused_explanations(explanations: Iterable[Explanation], changes: Iterable[Change]) -> Iterable[str]:
    explained = {
        (id(one), bool(change.row.kind), change.row.name) for change in changes for one in change.explanations
    }
    for one in explanations:
        names = [("defect", name) for name in one.defects] + [("", name) for name in one.conventions]
        for kind, name in names:
            if (id(one), bool(kind), name) not in explained:
                yield (
                    f"{_FILE}:{one.line}: torch {one.release} did not change the {_noun(kind)} '{name}'; "
                    "mend the name or the release, or remove it"
                )


def _noun(kind: str) -> str:
    return "known defect" if kind else "convention"
