"""Which other picks are tried for a wrong result, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from lossproof.judging.choices import judge_by_picks
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import FORMATS
from lossproof.records.record import ANOTHER

KINK, OTHER = "l1-at-zero", "gaussian-variance-below-eps"
PICKS = {KINK: "0", OTHER: "straight through"}


def truth(value: float, picks: Mapping[str, str], freely: float | None = None) -> Truth:
    """The truth of one number, which is another, ``freely``, if kinks are free, and the same otherwise."""

    def under_picks(others: Mapping[str, str], is_free: bool) -> Truth:
        return truth(freely if is_free and freely is not None else value, picks)

    numbers = np.array([value])
    zeros = np.zeros(1)
    marks = np.zeros(1, np.int64)
    return Truth(numbers, zeros, zeros, marks, FORMATS["float64"], picks=picks, under_picks=under_picks)


def test_what_only_kinks_allow_is_another_pick_of_the_kinks_alone() -> None:
    verdict = judge_by_picks(truth(0.0, PICKS, freely=0.25), partial(compare, np.array([0.25])))
    assert verdict.is_changed
    assert verdict.picks == {KINK: ANOTHER, OTHER: PICKS[OTHER]}


def test_without_a_kink_nothing_is_free() -> None:
    alone = truth(0.0, {OTHER: PICKS[OTHER]}, freely=0.25)
    verdict = judge_by_picks(alone, partial(compare, np.array([0.25])))
    assert not verdict.agrees
    assert not verdict.is_changed
