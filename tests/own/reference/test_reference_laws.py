"""Laws that the losses obey: invariances, symmetries and identities, proved on balls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossproof.numbers.ball import Ball, certified
from lossproof.reference.evaluation import forward, prepare

pytestmark = pytest.mark.usefixtures("sharp_balls")

ROWS = [[0.5, 0.25, 0.25], [0.125, 0.0625, 0.8125]]
FLOATS = st.integers(-640, 640).map(lambda k: k / 64)
MATRICES = st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=1, max_size=3)
SHIFTS = st.integers(-1000, 1000).map(float)
PROBABILITIES = st.integers(1, 63).map(lambda k: k / 64)


def on_balls(loss: str, params: Mapping[str, Any], args: Mapping[str, Any]) -> Ball:
    value: Ball = certified(lambda: prepare(loss, params, args).value(Ball.exact))
    return value


def assert_equal(first: Ball, second: Ball) -> None:
    """Two sharp balls that both may be the same number."""
    high, _ = np.abs(first - second).midpoints()
    assert first.shape == second.shape
    assert np.all(first.radii() < 1e-30)
    assert np.all(high < 1e-12)


def labels(logits: list[list[float]]) -> list[int]:
    return [place % 3 for place in range(len(logits))]


@given(logits=MATRICES, shift=SHIFTS)
def test_cross_entropy_does_not_see_a_shift_of_the_logits(logits: list[list[float]], shift: float) -> None:
    target = labels(logits)
    shifted = [[x + shift for x in row] for row in logits]
    for params in ({}, {"label_smoothing": 0.25, "weight": [1.0, 2.0, 0.5]}):
        assert_equal(
            on_balls("CrossEntropyLoss", params, {"input": logits, "target": target}),
            on_balls("CrossEntropyLoss", params, {"input": shifted, "target": target}),
        )


@given(logits=MATRICES, order=st.permutations([0, 1, 2]), smoothing=st.sampled_from([0.0, 0.5]))
def test_cross_entropy_does_not_care_how_classes_are_numbered(
    logits: list[list[float]], order: list[int], smoothing: float
) -> None:
    weight, target = np.array([1.0, 2.0, 0.5]), labels(logits)
    renamed = [order.index(label) for label in target]
    params = {"label_smoothing": smoothing, "reduction": "none"}
    assert_equal(
        on_balls("CrossEntropyLoss", params | {"weight": weight}, {"input": logits, "target": target}),
        on_balls(
            "CrossEntropyLoss",
            params | {"weight": weight[order]},
            {"input": np.array(logits)[:, order], "target": renamed},
        ),
    )


@given(logits=MATRICES, weight=st.sampled_from([None, [1.0, 2.0, 0.5]]))
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_cross_entropy_is_nll_after_log_softmax(
    reduction: str, logits: list[list[float]], weight: list[float] | None
) -> None:
    args: dict[str, Any] = {"input": logits, "target": labels(logits)}
    params = {"weight": weight, "reduction": reduction}

    def by_hand() -> Ball:
        nll = prepare("NLLLoss", params, args)
        log_p = prepare("LogSoftmax", {"dim": 1}, {"input": logits}).value(Ball.exact)
        value: Ball = nll.value(
            lambda values: log_p if values is nll.arguments["input"] else Ball.exact(values)
        )
        return value

    assert_equal(on_balls("CrossEntropyLoss", params, args), certified(by_hand))


@given(logits=MATRICES, smoothing=st.sampled_from([0.0, 0.25]))
def test_class_indices_are_one_hot_probabilities(logits: list[list[float]], smoothing: float) -> None:
    one_hot = np.eye(3)[labels(logits)]
    for reduction in ("none", "sum", "mean"):
        params = {"label_smoothing": smoothing, "reduction": reduction}
        assert_equal(
            on_balls("CrossEntropyLoss", params, {"input": logits, "target": labels(logits)}),
            on_balls("CrossEntropyLoss", params, {"input": logits, "target": one_hot}),
        )


@given(logits=MATRICES, smoothing=st.sampled_from([0.0, 0.25]))
def test_the_gradient_of_cross_entropy_sums_to_zero_over_the_classes(
    logits: list[list[float]], smoothing: float
) -> None:
    params = {"label_smoothing": smoothing, "weight": [1.0, 2.0, 0.5], "reduction": "sum"}
    call = prepare("CrossEntropyLoss", params, {"input": logits, "target": labels(logits)})

    def total() -> Ball:
        sums: Ball = np.sum(call.gradient(np.ones(()), Ball.exact)["input"], axis=1)
        return sums

    sums = certified(total)
    assert all(element.contains(0) for element in sums.elements)
    assert np.all(sums.radii() < 1e-40)


@given(pairs=st.lists(st.tuples(PROBABILITIES, PROBABILITIES), min_size=1, max_size=4))
def test_binary_cross_entropy_is_symmetric_in_yes_and_no(pairs: list[tuple[float, float]]) -> None:
    p, t = np.array(pairs).T
    for reduction in ("none", "mean", "sum"):
        params = {"reduction": reduction}
        assert_equal(
            on_balls("BCELoss", params, {"input": p, "target": t}),
            on_balls("BCELoss", params, {"input": 1 - p, "target": 1 - t}),
        )
        assert_equal(
            on_balls("BCEWithLogitsLoss", params, {"input": 20 * p - 10, "target": t}),
            on_balls("BCEWithLogitsLoss", params, {"input": 10 - 20 * p, "target": 1 - t}),
        )


@given(pairs=st.lists(st.tuples(FLOATS, PROBABILITIES), min_size=1, max_size=4))
def test_binary_cross_entropy_with_logits_is_that_after_a_sigmoid(pairs: list[tuple[float, float]]) -> None:
    x, t = np.array(pairs).T

    def by_hand() -> Ball:
        p = 1.0 / (1.0 + np.exp(-Ball.exact(x)))
        call = prepare("BCELoss", {}, {"input": t.copy(), "target": t})  # any probabilities
        value: Ball = call.value(
            lambda values: p if values is call.arguments["input"] else Ball.exact(values)
        )
        return value

    assert_equal(on_balls("BCEWithLogitsLoss", {}, {"input": x, "target": t}), certified(by_hand))


@given(weights=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=2, max_size=6))
def test_a_divergence_is_not_negative(weights: list[tuple[int, int]]) -> None:
    first, second = np.array(weights, dtype=float).T
    call = prepare("KLDivLoss", {"reduction": "sum"}, {"input": first, "target": second})

    def divergence() -> Ball:
        q, p = Ball.exact(first) / float(first.sum()), Ball.exact(second) / float(second.sum())
        value: Ball = call.value(lambda values: np.log(q) if values is call.arguments["input"] else p)
        return value

    value: Any = certified(divergence).elements[()]
    same = bool(np.allclose(first / first.sum(), second / second.sum(), rtol=1e-12))
    assert value.contains(0) if same else value > 0


@given(rows=st.lists(st.tuples(FLOATS, PROBABILITIES), min_size=1, max_size=4))
def test_a_logarithmic_target_is_the_same_target(rows: list[tuple[float, float]]) -> None:
    x, t = np.array(rows).T
    call = prepare("KLDivLoss", {"log_target": True, "reduction": "none"}, {"input": x, "target": t})

    def by_hand() -> Ball:
        value: Ball = call.value(
            lambda values: Ball.exact(x) if values is call.arguments["input"] else np.log(Ball.exact(t))
        )
        return value

    assert_equal(on_balls("KLDivLoss", {"reduction": "none"}, {"input": x, "target": t}), certified(by_hand))


@given(logits=MATRICES)
def test_a_weighted_mean_divides_by_the_weights_that_took_part(logits: list[list[float]]) -> None:
    weight, target = np.array([1.0, 2.0, 0.5]), [*labels(logits), 2]
    args = {"input": [*logits, [1.0, 2.0, 3.0]], "target": target}
    params = {"weight": weight, "ignore_index": 1}
    total = float(weight[[label for label in target if label != 1]].sum())
    for loss in ("NLLLoss", "CrossEntropyLoss"):
        mean = on_balls(loss, params, args)
        assert_equal(mean * total, on_balls(loss, params | {"reduction": "sum"}, args))


def test_the_mean_over_probabilities_divides_by_the_batch_whatever_the_weights() -> None:
    params, args = (
        {"weight": [1.0, 2.0, 4.0]},
        {"input": [[2.0, 1.0, 0.125], [0.5, -2.0, 0.25]], "target": ROWS},
    )
    total = forward("CrossEntropyLoss", params | {"reduction": "sum"}, args)
    np.testing.assert_allclose(forward("CrossEntropyLoss", params, args), total / 2, rtol=1e-14)


def test_entropy_and_divergence_make_up_the_cross_entropy() -> None:
    p, q = np.array(ROWS), np.array(ROWS[::-1])
    divergence = forward("KLDivLoss", {"reduction": "none"}, {"input": np.log(q), "target": p}).sum(axis=-1)
    cross = forward("DistributionCrossEntropy", {}, {"p": p, "q": q})
    np.testing.assert_allclose(cross, forward("Entropy", {}, {"p": p}) + divergence, rtol=1e-14)


@pytest.mark.parametrize("loss", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize(("shape", "dim"), [((0,), 0), ((2, 0), 1), ((0, 2), 0), ((0, 0), 1)])
def test_along_nothing_there_is_nothing(loss: str, shape: tuple[int, ...], dim: int) -> None:
    assert forward(loss, {"dim": dim}, {"input": np.zeros(shape)}).shape == shape
