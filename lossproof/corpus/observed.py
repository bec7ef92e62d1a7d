"""The recorded result of a known defect, which a run is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from lossproof.corpus.numeral import Numeral, parse_numeral

VARIES = "varies"
_ADD_UP = " numbers that add up to "


@dataclass(frozen=True)
class Observed:
    """The result that an entry has on record.

    Attributes:
        alternatives: numbers, of which every number that is off must be one, give or take half of the last
            digit printed; and words: the start of a traceback's last line, a dtype, the sum of many numbers,
            ``accepted``, or ``varies`` for a result that is not determined.
        budgets: the largest error in budgets, for a result that depends on the machine; else None.
    """

    alternatives: tuple[Numeral | str, ...]
    budgets: Numeral | None = None

    def explains(self, came_out: Sequence[str], error_over_budget: float | None) -> bool:
        """Whether a result is the one on record; for ``came_out`` see ``Record``."""
        if VARIES in self.alternatives:
            return True
        if self.budgets is not None and error_over_budget is not None:
            return error_over_budget <= float(self.budgets)
        return bool(came_out) and all(
            any(_matches(one, known) for known in self.alternatives) for one in came_out
        )

    def __str__(self) -> str:
        texts = [one if isinstance(one, str) else one.text.lstrip(".") for one in self.alternatives]
        if self.budgets is not None:
            texts.append(f"off by up to {self.budgets.text} budgets")
        return " or ".join(texts)


def _matches(came_out: str, known: Numeral | str) -> bool:
    if isinstance(known, str):
        return came_out.startswith(known) or _adds_up_alike(came_out, known)
    try:
        number = float(came_out)
    except ValueError:
        return False
    if isinstance(known.exact, float) or not math.isfinite(number):
        return str(float(known)) == str(number)
    return abs(Fraction(number) - known.exact) <= known.claim


def sums_in_words(numbers: npt.NDArray[np.float64]) -> str:
    """How many numbers there are and what they add up to, separately for each sign where there are both.

    A sum that cancels would leave only rounding errors, which differ from processor to processor.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        above, below = float(numbers[numbers > 0].sum()), float(numbers[numbers < 0].sum())
        total = float(numbers.sum())
    sums = f"{above:.4g} above zero and {below:.4g} below" if above and below else f"{total:.4g}"
    return f"{len(numbers)}{_ADD_UP}{sums}"


def _adds_up_alike(came_out: str, known: str) -> bool:
    """Whether two texts of ``sums_in_words`` agree, give or take one in the last digit of a sum."""
    count, marker, sums = came_out.partition(_ADD_UP)
    known_count, _, known_sums = known.partition(_ADD_UP)
    words, known_words = sums.split(), known_sums.split()
    is_same_text = bool(marker) and count == known_count and len(words) == len(known_words)
    return is_same_text and all(map(_is_alike, words, known_words))


def _is_alike(word: str, known: str) -> bool:
    try:
        number, numeral = parse_numeral(word), parse_numeral(known)
    except ValueError:
        return word == known
    if isinstance(number.exact, float) or isinstance(numeral.exact, float):
        return False
    return abs(number.exact - numeral.exact) <= (2 * numeral.claim or 1)
