"""Turns a verdict into lines of a program that fail as long as the bug is there; they look at ``result``.

The lines compute in Python's own numbers, so that no fault of the subject can reach them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lossproof.judging.places import place_of
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import BIAS_LIMIT, budget_shares
from lossproof.numbers.formats import Float64Array
from lossproof.numbers.overflow import NEGATIVE, POSITIVE, UNDEFINED, marks_of
from lossproof.subjects.literals import literal, numbers_source
from lossproof.subjects.program import DTYPE_OF_RESULT

# What overflow may turn a number into, as conditions on the number.
_EXCUSES = {POSITIVE: "got == float('inf')", NEGATIVE: "got == float('-inf')", UNDEFINED: "got != got"}

# The sum of the results, weighted by their upstream gradients.
WEIGHTED = "math.fsum(a * b for a, b in zip(result.flatten().tolist(), upstream.flatten().tolist()))"


def quantity_assertion(
    observed: Float64Array, truth: Truth, dtype: str, name: str = "result", dtype_of: str = DTYPE_OF_RESULT
) -> list[str]:
    """Fails if a result has a wrong shape, a number beyond its budget or, with neither, the wrong dtype."""
    if observed.shape != truth.value.shape:
        return shape_assertion(truth.value.shape, name)
    shares = budget_shares(observed, truth)
    if observed.size and not np.max(shares) <= 1:
        place = place_of(shares)
        return number_assertion(element(name, place), [within_budget(float(observed[place]), truth, place)])
    return dtype_assertion(dtype, of=dtype_of)


def shape_assertion(shape: Sequence[int], name: str = "result") -> list[str]:
    """Fails for any other shape."""
    return [f"assert {name}.shape == {tuple(shape)}, {name}.shape"]


def dtype_assertion(*dtypes: str, of: str = DTYPE_OF_RESULT) -> list[str]:
    """Fails for all dtypes but these."""
    conditions = (f"dtype == {dtype!r}" for dtype in dict.fromkeys(dtypes))
    return [f"dtype = {of}", f"assert {' or '.join(conditions)}, dtype"]


def number_assertion(got: str, conditions: Sequence[str]) -> list[str]:
    """Fails if a number, given as an expression, meets none of the conditions on ``got``."""
    return [f"got = {got}", f"assert {' or '.join(dict.fromkeys(conditions))}, got"]


def element(name: str, place: Sequence[int]) -> str:
    """An expression for one element of a tensor, as a plain number."""
    return f"{name}[{', '.join(map(str, place))}].item()" if len(place) else f"{name}.item()"


def between(low: float, high: float) -> str:
    """The condition that a number lies between two."""
    return f"{literal(low)} <= got <= {literal(high)}"


def within_budget(observed: float, truth: Truth, place: tuple[int, ...]) -> str:
    """The condition that a number is within its budget 2B; ``observed`` is a number that is not."""
    true, tolerance = float(truth.value[place]), float(truth.budget[place])
    marks = int(truth.overflows[place])
    if math.isfinite(true) and abs(true) + tolerance > truth.format.largest:
        marks |= int(marks_of(truth.format.overflow(true)))
    excuse = "".join(f" or {condition}" for bit, condition in _EXCUSES.items() if marks & bit)
    if math.isnan(true):
        return f"got != got{excuse}"
    if math.isinf(true):
        return f"got == {literal(true)}{excuse}"
    remainder = float(truth.remainder[place])
    # The part of the true number that float64 lacks is written only where it decides.
    lacking = f" - {remainder!r}" if abs(observed - true) <= tolerance else ""
    least, most = truth.limits
    limits = f" and got >= {literal(least)}" if -math.inf < least <= true else ""
    limits += f" and got <= {literal(most)}" if true <= most < math.inf else ""
    return f"abs(got - {true!r}{lacking}) <= {literal(tolerance)}{limits}{excuse}"


def all_numbers_assertion(truth: Truth) -> list[str]:
    """Fails if any number is beyond its budget: for few numbers, when it is not known which one is off."""
    expected = ", ".join(literal(float(number)) for number in truth.value.ravel())
    tolerances = ", ".join(
        literal(2 * float(bound)) for bound in np.where(np.isfinite(truth.value), truth.bound, 0.0).ravel()
    )
    return [
        *shape_assertion(truth.value.shape),
        f"for got, true, tolerance in zip(result.flatten().tolist(), [{expected}], [{tolerances}]):",
        "    assert abs(got - true) <= tolerance or got == true or (got != got and true != true), got",
    ]


def sameness_assertion(first: Float64Array, other: Float64Array, bound: Float64Array) -> list[str]:
    """Fails if ``result`` and ``other`` differ by more than the sum of their budgets."""
    if not first.shape == other.shape == bound.shape:
        return ["assert result.shape == other.shape, (result.shape, other.shape)"]
    pair, agreement = _furthest_pair(first, other, bound)
    return [pair, f"assert {agreement}, (got, wanted)"]


def difference_assertion(true: Sequence[Truth]) -> list[str]:
    """Fails if ``result`` and ``other``, the sum of all but the first, agree where they differ most."""
    first, *others = true
    other = np.sum([truth.value for truth in others], axis=0)
    bound = np.sum([truth.bound for truth in true], axis=0)
    pair, agreement = _furthest_pair(first.value, other, bound)
    return [pair, f"assert not ({agreement}), (got, wanted)"]


def _furthest_pair(first: Float64Array, other: Float64Array, bound: Float64Array) -> tuple[str, str]:
    """A line that names the two numbers that are most budgets apart, and the condition that they agree."""
    with np.errstate(all="ignore"):
        is_same = (first == other) | (np.isnan(first) & np.isnan(other))
        shares = np.where(is_same, 0.0, np.abs(first - other) / bound)
    place = place_of(np.where(np.isnan(shares), np.inf, shares))
    pair = f"got, wanted = {element('result', place)}, {element('other', place)}"
    alike = "got == wanted or (got != got and wanted != wanted)"
    return pair, f"abs(got - wanted) <= {literal(2 * float(bound[place]))} or {alike}"


def bias_assertion(observed: Float64Array, truth: Truth) -> list[str]:
    """Fails if the larger of mean(e/B) and mean(sign(y) e/B) is beyond its limit."""
    if observed.shape != truth.value.shape:
        return shape_assertion(truth.value.shape)
    is_counted = (truth.bound > 0) & np.isfinite(observed) & np.isfinite(truth.value)
    # Rounded to few digits, since there are thousands of them.
    shares = 1 / np.where(is_counted, truth.bound, np.inf).astype(np.float32).astype(np.float64)
    signed = np.sign(np.where(is_counted, truth.value, 0.0)) * shares
    with np.errstate(invalid="ignore"):
        errors = np.where(is_counted, (observed - truth.value) - truth.remainder, 0.0)
    weights = max(shares, signed, key=lambda weights: abs(np.sum(weights * errors)))
    error, packed = "number - true", {"true": truth.value, "weight": weights}
    if np.any(truth.remainder):
        error, packed = f"{error} - lacking", {**packed, "lacking": truth.remainder}
    zipped = ", ".join(["result.flatten().tolist()", *packed])
    products = f"weight * ({error}) for number, {', '.join(packed)} in zip({zipped}) if weight"
    return [
        "# The mean error in units of the budget, by which the weights divide.",
        *(f"{name} = {numbers_source(array)}" for name, array in packed.items()),
        f"got = math.fsum({products}) / {max(int(np.count_nonzero(is_counted)), 1)}",
        f"assert abs(got) <= {BIAS_LIMIT}, got",
    ]
