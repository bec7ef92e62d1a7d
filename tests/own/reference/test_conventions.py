"""Conventions: there our gradient is that of torch, our derivative that of the loss as documented."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dual_derivative import dual_derivative
from repository import whole_cases

from lossproof.judging.calls import make_call, prepare_call, reductions_of
from lossproof.judging.truth import truth_of
from lossproof.judging.verdict import compare
from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.conventions import picking
from lossproof.reference.evaluation import PreparedCall, prepare
from lossproof.subjects.call import Call, Values
from lossproof.subjects.registry import find_subject

# In single precision: for BCELoss torch's double-precision gradient has a single-precision bound.
_FORMAT = FORMATS["float32"]

# Loss, parameters, arguments inside the region of the convention, and the argument whose gradient differs.
POINTS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("BCELoss", {}, {"input": [0.0], "target": [1.0]}, "input"),
    ("BCELoss", {}, {"input": [1.0], "target": [0.25]}, "input"),
    ("BCELoss", {}, {"input": [2.0**-60, 2.0**-148], "target": [1.0, 0.5]}, "input"),
    ("BCELoss", {}, {"input": [0.0, 1.0], "target": [0.0, 1.0]}, "target"),
    ("GaussianNLLLoss", {}, {"input": [1.0], "target": [1.0], "var": [0.0]}, "var"),
    ("GaussianNLLLoss", {"eps": 0.5}, {"input": [1.0, 3.0], "target": [3.0, 3.0], "var": [0.25, 0.0]}, "var"),
    ("GaussianNLLLoss", {"eps": 0.5}, {"input": [[1.0, 2.0]], "target": [[3.0, 3.0]], "var": [0.25]}, "var"),
    ("CosineSimilarity", {"eps": 8.0}, {"x1": [[3.0, 4.0]], "x2": [[1.0, -2.0]]}, "x1"),
    (
        "CTCLoss",
        {},
        {
            "log_probs": [[[-0.5, -2.0, -1.5]], [[-1.0, -0.25, -3.0]]],
            "targets": [[1]],
            "input_lengths": [2],
            "target_lengths": [1],
        },
        "log_probs",
    ),
]


def _values(numbers: Any) -> Values:
    array = np.asarray(numbers)
    return Values(array, "int64" if array.dtype.kind == "i" else _FORMAT.name)


def _call(loss: str, params: Mapping[str, Any], args: Mapping[str, Any]) -> Call:
    reduction = "sum" if LOSSES[loss].reductions else None
    return Call(
        loss, params, {name: _values(numbers) for name, numbers in args.items()}, reduction, _FORMAT.name
    )


def test_every_convention_has_a_point() -> None:
    conventional = {name for name, loss in LOSSES.items() if loss.convention}
    assert {loss for loss, *_ in POINTS} == conventional, (
        "add a point to POINTS for each loss with a convention"
    )


def test_a_convention_has_words_and_a_derivative() -> None:
    for loss in LOSSES.values():
        assert bool(loss.convention) == (loss.derivative is not None), loss.name


@pytest.mark.parametrize(("loss", "params", "args", "argument"), POINTS)
def test_the_gradient_is_that_of_torch(
    loss: str, params: Mapping[str, Any], args: Mapping[str, Any], argument: str
) -> None:
    call = _call(loss, params, args)
    prepared = prepare_call(call)
    truth = truth_of(prepared, _FORMAT)
    subject = find_subject("torch.nn.functional")
    observed = subject.run(replace(call, upstreams=truth.upstreams, wrt=prepared.differentiable))
    for gradients, true in zip(observed.gradients, truth.gradients, strict=True):
        verdict = compare(gradients[argument], true[argument])
        assert verdict.agrees, verdict.message


@pytest.mark.parametrize(("loss", "params", "args", "argument"), POINTS)
def test_the_derivative_is_that_of_dual_numbers_and_another(
    loss: str, params: Mapping[str, Any], args: Mapping[str, Any], argument: str
) -> None:
    call = prepare_call(_call(loss, params, args))
    upstream = np.ones(call.value().shape)
    derivative: Ball = certified(lambda: call.derivative(upstream, Ball.exact)[argument])
    gradient: Ball = certified(lambda: call.gradient(upstream, Ball.exact)[argument])
    for place in np.ndindex(derivative.shape):
        difference = (dual_derivative(call, argument, place, upstream) - derivative[place]).elements[()]
        assert difference.contains(0), place
        assert float(difference.rad().upper()) < 1e-30
    (true, _), (conventional, _) = derivative.midpoints(), gradient.midpoints()
    assert not np.any(np.isclose(true, conventional, rtol=1e-3, atol=0.0))


def test_at_the_least_variance_itself_the_slope_is_still_the_loss_s() -> None:
    args = {"input": [1.0], "target": [3.0], "var": [0.5]}
    call = prepare("GaussianNLLLoss", {"eps": 0.5, "reduction": "none"}, args)
    derivative, gradient = (slope([1.0])["var"] for slope in (call.derivative, call.gradient))
    np.testing.assert_array_equal(derivative, gradient)


def conventions_met(prepared: PreparedCall) -> set[str]:
    """What a call leaves open in its value, gradient or derivative."""
    with picking({}) as followed:
        upstream = np.ones(np.shape(prepared.value()))
        if prepared.differentiable:
            prepared.gradient(upstream)
            prepared.derivative(upstream)
    return followed.met


def test_a_loss_names_all_that_its_cases_leave_open() -> None:
    for case in whole_cases().values():
        call = make_call(case, "float64", reductions_of(case)[0])
        size = sum(values.numbers.size for values in call.args.values())
        if case.module is None and case.raises is None and size < 200:
            known = {convention.name for convention in LOSSES[call.loss].conventions}
            assert conventions_met(prepare_call(call)) <= known, case.id


@pytest.mark.parametrize("loss", ["Entropy", "DistributionCrossEntropy"])
def test_zero_times_the_logarithm_of_zero_alone_is_open(loss: str) -> None:
    distributions = {"p": [0.0, 1.0]} | ({} if loss == "Entropy" else {"q": [0.5, 0.5]})
    assert conventions_met(prepare(loss, {}, distributions)) == (
        {"information-zero-log-zero"} if loss == "Entropy" else set()
    )


@pytest.mark.parametrize(
    ("x1", "p", "expected"),
    [
        ([1.0, 2.0], math.inf, set()),
        ([2.0, -2.0], math.inf, {"norm-of-equal-components"}),
        ([2.0, -2.0, 1.0], -math.inf, set()),
        ([2.0, 1.0, 1.0], -math.inf, {"norm-of-equal-components"}),
        ([3.0, 4.0], 2.0, set()),
        ([0.0, 0.0], 2.0, {"norm-at-zero-vector"}),
        ([0.0, 1.0], 1.0, {"norm-at-zero-component"}),
        ([], 2.0, set()),
    ],
)
def test_a_distance_leaves_its_kinks_open_and_nothing_else(
    x1: list[float], p: float, expected: set[str]
) -> None:
    args = {"x1": x1, "x2": [0.0] * len(x1)}
    assert conventions_met(prepare("PairwiseDistance", {"p": p, "eps": 0.0}, args)) == expected


@pytest.mark.parametrize(
    ("x1", "p", "least", "greatest"),
    [([0.0, 0.0], 2.0, -1.0, 1.0), ([2.0, 2.0], math.inf, 0.0, 1.0), ([0.0, 1.0], 1.0, -1.0, 1.0)],
)
def test_any_slope_between_the_ends_is_right(
    x1: list[float], p: float, least: float, greatest: float
) -> None:
    prepared = prepare("PairwiseDistance", {"p": p, "eps": 0.0}, {"x1": x1, "x2": [0.0, 0.0]})
    slope = truth_of(prepared, _FORMAT).gradients[0]["x1"]
    assert slope.under_picks is not None
    free = slope.under_picks({}, True)
    assert least - 1e-5 < free.value[0] - free.budget[0] <= least
    assert greatest <= free.value[0] + free.budget[0] < greatest + 1e-5
