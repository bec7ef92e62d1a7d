"""By how much wrong numbers are off, where failing checks share it, and in the detail of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from report_specimens import DISAGREES, ERRS

from lossproof.records.record import Record
from lossproof.reporting.in_common import in_common
from lossproof.reporting.off_by import errors

TRUTHS = (0.25, 3.0, -1.75, 17.125)


def element(true: float, observed: float, budget: float = 1e-6) -> dict[str, Any]:
    error = abs(observed - true)
    return {
        "at": [],
        "expected": repr(true),
        "observed": repr(observed),
        "share": error / budget,
        "ulp": error * 2**24,
    }


def wrong(*elements: dict[str, Any], off: int = 0) -> Record:
    detail = {"elements": list(elements), "inputs": ""}
    return replace(DISAGREES, detail=detail, off=off or len(elements))


def said(failing: Sequence[Record]) -> str:
    return in_common(failing, []).partition(": ")[2]


@pytest.mark.parametrize(
    ("observed", "sentence"),
    [
        ([true + 0.5 for true in TRUTHS], "all are 0.5 above the true value"),
        ([true - 0.125 for true in TRUTHS], "all are 0.125 below the true value"),
        ([true * 2 for true in TRUTHS], "all are 2 times the true value"),
        ([true * 5 / 3 for true in TRUTHS], "all are 1.667 times the true value"),
        ([-true for true in TRUTHS], "all are -1 times the true value"),
        ([true + 0.5 for true in TRUTHS[:3]] + [17.0], ""),
        ([float("nan")] * 4, ""),
        ([float("inf")] * 4, ""),
    ],
)
def test_a_loss_says_which_error_its_wrong_numbers_share(observed: Sequence[float], sentence: str) -> None:
    assert said([wrong(element(*pair)) for pair in zip(TRUTHS, observed, strict=True)]) == sentence


def test_rounding_hides_no_shared_error() -> None:
    """In float16, a number near 17 has steps of 1/64."""
    pairs = zip(TRUTHS, [0.7515, 3.498, -1.249, 17.625], strict=True)
    assert said([wrong(element(*pair, budget=0.004)) for pair in pairs]) == "all are 0.5 above the true value"


def test_an_error_that_is_hardly_beyond_its_budget_is_shared_by_chance() -> None:
    assert said([wrong(element(true, true + 0.5, budget=0.4)) for true in TRUTHS]) == ""


def test_few_checks_or_one_number_over_and_over_say_nothing() -> None:
    shifted = [wrong(element(true, true + 0.5)) for true in TRUTHS]
    assert said(shifted[:2]) == ""
    assert said(shifted[:1] * 5) == ""
    assert said(shifted[:3]) == "all are 0.5 above the true value"


def test_what_was_not_seen_is_not_claimed() -> None:
    shifted = [wrong(element(true, true + 0.5)) for true in TRUTHS]
    assert said([*shifted, ERRS]).startswith("all wrong numbers are 0.5 above the true value")
    many = wrong(element(2.0, 2.5), off=100)
    assert said([*shifted, many]) == "all are 0.5 above the true value, as far as the details show"


def test_a_check_shows_the_error_that_says_more() -> None:
    shifted = [element(true, true + 0.5) for true in TRUTHS]
    scaled = [element(true, 3 * true) for true in TRUTHS]
    assert errors(shifted) == {"kind": "difference", "texts": ["0.5"] * 4}
    assert errors(scaled) == {"kind": "factor", "texts": ["3"] * 4}
    assert errors(scaled, "difference")["texts"] == ["0.5", "6", "-3.5", "34.25"]
    assert errors([element(0.0, 0.25)]) == {"kind": "difference", "texts": ["0.25"]}
    assert errors([element(0.25, 0.0)]) == {"kind": "difference", "texts": ["-0.25"]}
    assert errors([element(1.0, float("nan"))]) == errors([]) == {}
