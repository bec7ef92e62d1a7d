"""The least and the most that a formula yields, however its steps round.

A budget allows both signs where the true value is smaller than its errors; the formula may not. It never
yields a negative number, say, where it adds up numbers that are not negative, and rounding keeps the sign of
each. Where a difference of two rounded numbers can have the wrong sign, as in KLDivLoss or 1 - cos, there is
no limit, nor in CTCLoss: the probabilities of all alignments may add up to slightly more than 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# The least and the most.
Limits = tuple[float, float]
NO_LIMITS: Limits = (-math.inf, math.inf)
NEVER_NEGATIVE: Limits = (0.0, math.inf)
NEVER_POSITIVE: Limits = (-math.inf, 0.0)
Domain = Mapping[str, Limits]

# What weights must be, and targets between the two classes.
WEIGHTS: Domain = {"weight": NEVER_NEGATIVE, "pos_weight": NEVER_NEGATIVE}
SHARES: Domain = {"target": (0.0, 1.0)}


def within(limits: Limits, domain: Domain = WEIGHTS) -> Callable[[Mapping[str, Any]], Limits]:
    """A function that yields ``limits`` for numbers by name that lie in ``domain``, and no limits otherwise.

    Whole numbers, such as class indices, lie in every domain.
    """

    def limits_for(numbers: Mapping[str, Any]) -> Limits:
        are_inside = all(
            bool(np.all((low <= number) & (number <= high)))
            for name, (low, high) in domain.items()
            if (number := np.asarray(numbers.get(name, low))).dtype.kind == "f"
        )
        return limits if are_inside else NO_LIMITS

    return limits_for
