"""The rules by which error-carrying numbers bound a formula, and what they note on the way.

Those of ``Rules()`` make the budget. Others answer a question about a number that came out: would it be
within the bound without the freedom at a kink, or as a sequential sum? Which operation left the range?
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Place = tuple[int, ...]


@dataclass(eq=False)
class Rules:
    """How a formula is bounded.

    Attributes:
        kinks_are_free: whether any subgradient is right where rounding leaves the side of a kink open, and
            any share of a tie where it leaves the largest element open.
        sums_are_sequential: whether a sum of n terms may be n - 1 additions in a row, each of them rounded,
            in place of blocks.
        subtracts_log_sum_exp: whether log-softmax may be x - logsumexp(x), which loses the digits of a large
            offset, in place of the form that subtracts the maximum first.
        freedoms: which freedoms a run has used, ``kink`` or ``tie``.
        note_overflow: given each operation that leaves the format's range: where it does, and the words for
            the operation at a place.
    """

    kinks_are_free: bool = True
    sums_are_sequential: bool = False
    subtracts_log_sum_exp: bool = False
    freedoms: set[str] = field(default_factory=set)
    note_overflow: Callable[[npt.NDArray[np.bool_], Callable[[Place], str]], None] | None = None

    @property
    def flags(self) -> tuple[bool, ...]:
        """What these rules allow."""
        return self.kinks_are_free, self.sums_are_sequential, self.subtracts_log_sum_exp


_USUAL = Rules()
_followed: ContextVar[Rules] = ContextVar("followed_rules", default=_USUAL)


def followed_rules() -> Rules:
    """The rules in force."""
    return _followed.get()


def roundings_of_a_sum(terms: int) -> int:
    """How many roundings a term of a sum goes through at most: in blocks, or one after another."""
    if followed_rules().sums_are_sequential:
        return max(terms - 1, 0)
    return 1 + math.ceil(math.log2(max(terms, 1)))


@contextmanager
def following(rules: Rules) -> Iterator[Rules]:
    """Bound every formula that runs inside by these rules."""
    token = _followed.set(rules)
    try:
        yield rules
    finally:
        _followed.reset(token)
