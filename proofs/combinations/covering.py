"""Covering arrays: few rows in which every two levels that go together meet (Cohen et al., 1997, "AETG").

allpairspy would do the same without rules; with rules, it leaves out pairs that could be had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, count
from zlib import crc32

from lossproof.corpus.generator import draw_bits
from proofs.combinations.table import Row, Table

# A level of a dimension, and two of them in the order of their dimensions.
Setting = tuple[str, str]
Pair = tuple[Setting, Setting]

# So many rows are tried before the one is taken that covers the most.
_CANDIDATES = 8
# So many arrays are made, of which the shortest is kept.
_ATTEMPTS = 5


def covering_array(table: Table) -> list[Row]:
    """Rows of a table that break no rule, and cover every pair of levels that any such row holds."""
    return min((_covering(table, _draws(f"{table.name} {attempt}")) for attempt in range(_ATTEMPTS)), key=len)


def _covering(table: Table, draws: Iterator[int]) -> list[Row]:
    uncovered = _Uncovered(all_pairs(table))
    rows: list[Row] = []
    while (pair := uncovered.first()) is not None:
        found = _candidates(table, pair, uncovered, draws)
        if not found:
            uncovered.remove(pair)  # no row holds it
            continue
        best = max(found, key=lambda row: sum(map(uncovered.holds, pairs_of(table, row))))
        rows.append({name: best[name] for name in table.dimensions})
        for met in pairs_of(table, best):
            uncovered.remove(met)
    return rows


def all_pairs(table: Table) -> Iterator[Pair]:
    """Every two levels of different dimensions, whether they go together or not."""
    for (first, levels), (second, others) in combinations(table.dimensions.items(), 2):
        for level in levels:
            yield from (((first, level), (second, other)) for other in others)


def pairs_of(table: Table, row: Row) -> Iterator[Pair]:
    """The pairs that a row holds."""
    return combinations([(name, row[name]) for name in table.dimensions if name in row], 2)


class _Uncovered:
    """The pairs that no row has yet."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._pairs = dict.fromkeys(pairs)
        self._partners: dict[Setting, set[Setting]] = {}
        for first, second in self._pairs:
            self._partners.setdefault(first, set()).add(second)
            self._partners.setdefault(second, set()).add(first)

    def first(self) -> Pair | None:
        """One of a level that many are left of, or None where there is none."""
        if not self._pairs:
            return None
        level = max(self._partners, key=lambda own: len(self._partners[own]))
        other = max(self._partners[level], key=lambda own: (len(self._partners[own]), own))
        return (level, other) if (level, other) in self._pairs else (other, level)

    def holds(self, pair: Pair) -> bool:
        """Whether a pair is one of them."""
        return pair in self._pairs

    def remove(self, pair: Pair) -> None:
        """Take a pair out."""
        if pair in self._pairs:
            del self._pairs[pair]
            self._partners[pair[0]].discard(pair[1])
            self._partners[pair[1]].discard(pair[0])

    def gain(self, setting: Setting, row: Row) -> int:
        """How many pairs a level makes with those of a row."""
        return len(self._partners.get(setting, set()) & row.items())


def _candidates(table: Table, pair: Pair, uncovered: _Uncovered, draws: Iterator[int]) -> list[Row]:
    """Rows that hold the pair; none where rules forbid it."""
    start = dict(pair)
    names = [name for name in table.dimensions if name not in start]
    found: list[Row] = []
    ruled = {name for rule in table.rules for name in rule.dimensions}
    for _ in range(_CANDIDATES):
        # Those that rules speak of come first, so that a dead end is met early.
        order = sorted(names, key=lambda name: (name not in ruled, next(draws)))
        row = None if table.breaks(start) else _completed(table, start, order, uncovered, draws)
        if row is None:
            return []
        found.append(row)
    return found


def _completed(
    table: Table, row: Row, names: Sequence[str], uncovered: _Uncovered, draws: Iterator[int]
) -> Row | None:
    """The row with a level of each of the dimensions that it lacks, or None where rules forbid them all.

    At each dimension, that level is tried first which covers the most pairs with those that are there.
    """
    if not names:
        return row
    levels = table.dimensions[names[0]]
    for _, _, level in sorted((-uncovered.gain((names[0], one), row), next(draws), one) for one in levels):
        longer = {**row, names[0]: level}
        # The row breaks none of the other rules.
        is_broken = any(rule.breaks(longer) for rule in table.rules if names[0] in rule.dimensions)
        found = None if is_broken else _completed(table, longer, names[1:], uncovered, draws)
        if found is not None:
            return found
    return None


def _draws(name: str) -> Iterator[int]:
    """Numbers that depend on the name alone."""
    for block in count():
        yield from draw_bits(1024, crc32(f"{name} {block}".encode())).tolist()
