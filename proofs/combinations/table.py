"""What a loss can be called with: dimensions, the levels of each, and which levels do not go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from lossproof.numbers.formats import FORMATS, Format

# A level is its words, as the title of a case says them.
Levels = Sequence[str]
# A level of each dimension, or of some.
Row = Mapping[str, str]

_SEEDS = 1_000_000
# What begins the words of a level that goes without saying, so that a title leaves it out.
SILENT = "-"


@dataclass(frozen=True)
class Rule:
    """Which levels of a few dimensions go together.

    Attributes:
        dimensions: their names.
        allows: called with a level of each; whether they go together.
    """

    dimensions: tuple[str, ...]
    allows: Callable[..., bool]

    def breaks(self, row: Row) -> bool:
        """Whether a row, in which dimensions may be missing, breaks the rule already."""
        if any(name not in row for name in self.dimensions):
            return False
        return not self.allows(*(row[name] for name in self.dimensions))


@dataclass(frozen=True)
class Call:
    """The arguments of a call, its parameters and its upstream gradient, each as a case file writes it.

    Attributes:
        args, params: by name; a parameter of None is left out.
        upstream: None where the case gives none.
        warns: the warning that torch must give, if any.
    """

    args: Mapping[str, str]
    params: Mapping[str, str | None]
    upstream: str | None = None
    warns: str | None = None


@dataclass(frozen=True)
class Choice:
    """A row of a table, and the draws that belong to it.

    Attributes:
        table: the name of the table.
        row: a level of each dimension.
    """

    table: str
    row: Row

    def __getitem__(self, dimension: str) -> str:
        return self.row[dimension]

    @property
    def format(self) -> Format:
        """That of the dtype."""
        return FORMATS[self.row["dtype"]]

    @property
    def reduction(self) -> str:
        """Its name; none for a loss that has none."""
        return self.row.get("reduction", "none")

    def seed(self, purpose: str) -> int:
        """A number that depends on the row and the purpose alone."""
        return crc32(repr((self.table, sorted(self.row.items()), purpose)).encode()) % _SEEDS

    def among(self, purpose: str, *numbers: int) -> int:
        """One of these numbers."""
        return numbers[self.seed(purpose) % len(numbers)]


@dataclass(frozen=True)
class Table:
    """All that a loss can be called with.

    Attributes:
        loss: its name.
        dimensions: by name, the levels; ``dtype`` is one of them, and ``reduction`` where the loss has any.
        rules: which levels go together.
        build: the call that a row describes.
        variant: tells the tables of one loss apart.
    """

    loss: str
    dimensions: Mapping[str, Levels]
    rules: Sequence[Rule]
    build: Callable[[Choice], Call]
    variant: str = ""

    @property
    def name(self) -> str:
        """The loss, and the variant."""
        return f"{self.loss} {self.variant}".strip()

    def breaks(self, row: Row) -> bool:
        """Whether a row, in which dimensions may be missing, breaks a rule already."""
        return any(rule.breaks(row) for rule in self.rules)
