"""The truth of a call: budgets that honest arithmetic keeps, exactness, overflow and subgradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_arithmetic import Simulated

from lossproof.corpus.generator import draw_index, draw_uniform
from lossproof.judging.truth import CallTruth, Truth, truth_of, upstream_gradients
from lossproof.judging.verdict import compare
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS, Float64Array, Format
from lossproof.numbers.overflow import POSITIVE
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import PreparedCall, prepare

FLOAT32 = FORMATS["float32"]
FLOAT16 = FORMATS["float16"]
NARROW = ("float32", "bfloat16", "float16")

pytestmark = pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning")

# Numbers in general position, and those at which formulas break.
LOGITS = st.integers(-640, 640).map(lambda k: k / 64 + 1 / 512) | st.sampled_from(
    [0.0, 1.0, -1.0, 60.0, -60.0, 2.0**-12]
)
INTERIOR = st.integers(1, 1023).map(lambda k: k / 1024)
SHARES = INTERIOR | st.sampled_from([0.0, 1.0, 0.5, 2.0**-12])
LABELS = st.integers(0, 2)
REAL: dict[str, st.SearchStrategy[float]] = {"logits": LOGITS, "shares": SHARES, "interior": INTERIOR}
# What each loss is given: params, and for each argument or tensor parameter the kind of number it holds.
CALLS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("Softmax", {"dim": 1}, {"input": "logits"}),
    ("LogSoftmax", {"dim": 1}, {"input": "logits"}),
    ("SelfInformation", {}, {"p": "shares"}),
    ("Entropy", {}, {"p": "shares"}),
    ("DistributionCrossEntropy", {}, {"p": "shares", "q": "shares"}),
    ("Objective", {"l1": 0.3, "l2": 0.1}, {"losses": "shares", "parameters": "logits"}),
    ("NLLLoss", {}, {"input": "logits", "target": "labels", "weight": "shares"}),
    ("CrossEntropyLoss", {}, {"input": "logits", "target": "labels"}),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.1},
        {"input": "logits", "target": "labels", "weight": "shares"},
    ),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.1},
        {"input": "logits", "target": "shares", "weight": "shares"},
    ),
    # At (0, 0) its gradient divides by 1e-12, which float16 does not hold: not for honest arithmetic.
    ("BCELoss", {}, {"input": "interior", "target": "shares"}),
    ("BCEWithLogitsLoss", {}, {"input": "logits", "target": "shares", "weight": "shares"}),
    ("BCEWithLogitsLoss", {}, {"input": "logits", "target": "shares", "pos_weight": "shares"}),
    ("KLDivLoss", {}, {"input": "logits", "target": "shares"}),
    ("KLDivLoss", {"log_target": True}, {"input": "logits", "target": "logits"}),
]


@st.composite
def drawn(draw: st.DrawFn, kinds: Mapping[str, str], format: Format) -> dict[str, Any]:
    """Numbers of the format for a call of four rows and three columns."""
    numbers: dict[str, Any] = {}
    for name, kind in kinds.items():
        if kind == "labels":
            numbers[name] = np.array(draw(st.lists(LABELS, min_size=4, max_size=4)))
            continue
        count = 3 if name in ("weight", "pos_weight") else 12
        values = format.round(draw(st.lists(REAL[kind], min_size=count, max_size=count)))
        numbers[name] = values if count == 3 else values.reshape(4, 3)
    return numbers


def prepared(loss: str, params: Mapping[str, Any], numbers: Mapping[str, Any]) -> PreparedCall:
    args = {name: values for name, values in numbers.items() if name in LOSSES[loss].arguments}
    tensors = {name: values for name, values in numbers.items() if name not in args}
    return prepare(loss, {**params, **tensors}, args)


def assert_agrees(call: PreparedCall, truth: CallTruth, lift: Any) -> None:
    """The call on other numbers, judged: its value and all of its gradients."""

    def plain(result: Any) -> Float64Array:
        return np.asarray(result.value if isinstance(result, Simulated) else result, dtype=np.float64)

    with np.errstate(all="ignore"):
        verdict = compare(plain(call.value(lift)), truth.value)
        assert verdict.agrees, verdict.message
        for upstream, gradients in zip(truth.upstreams, truth.gradients, strict=True):
            observed = call.gradient(upstream, lift)
            assert set(gradients) == set(observed) == set(call.differentiable)
            for name, gradient in gradients.items():
                verdict = compare(plain(observed[name]), gradient)
                assert verdict.agrees, f"{name}: {verdict.message}"


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize(("loss", "params", "kinds"), CALLS)
@settings(max_examples=25)
@given(data=st.data())
def test_honest_arithmetic_keeps_its_budget(
    loss: str, params: dict[str, Any], kinds: dict[str, str], name: str, data: st.DataObject
) -> None:
    format = FORMATS[name]
    reductions = LOSSES[loss].reductions
    if reductions:
        params = params | {"reduction": data.draw(st.sampled_from(reductions))}
    call = prepared(loss, params, data.draw(drawn(kinds, format)))
    assert_agrees(call, truth_of(call, format), lambda values: Simulated(format.round(values), format))


@pytest.mark.parametrize(("name", "dtype"), [("float32", np.float32), ("float64", np.float64)])
@pytest.mark.parametrize(("loss", "params", "kinds"), CALLS)
@settings(max_examples=15)
@given(data=st.data())
def test_the_arithmetic_of_numpy_keeps_its_budget(
    loss: str, params: dict[str, Any], kinds: dict[str, str], name: str, dtype: type, data: st.DataObject
) -> None:
    call = prepared(loss, params, data.draw(drawn(kinds, FORMATS[name])))
    assert_agrees(call, truth_of(call, FORMATS[name]), partial(np.asarray, dtype=dtype))


def accepts(observed: float, truth: Truth) -> bool:
    return compare(np.array(observed), truth).agrees


def test_losses_that_only_pick_are_exact() -> None:
    inputs = draw_uniform(-4.0, 0.0, (5, 3), 1, FLOAT32)
    call = prepare("NLLLoss", {"reduction": "none"}, {"input": inputs, "target": [0, 1, 2, 0, 1]})
    truth = truth_of(call, FLOAT32)
    assert not truth.value.bound.any()
    right = -inputs[np.arange(5), [0, 1, 2, 0, 1]]
    assert compare(right, truth.value).agrees
    assert not compare(right * (1 + 2.0**-23), truth.value).agrees
    for gradients in truth.gradients:
        assert not gradients["input"].bound.any()


def test_a_probability_too_small_for_float64_is_not_exactly_0() -> None:
    call = prepare(
        "KLDivLoss", {"log_target": True, "reduction": "none"}, {"input": [-0.5], "target": [-746.0]}
    )
    assert compare(np.array([0.0]), truth_of(call, FORMATS["float64"]).value).agrees


def test_a_gradient_does_not_overflow_before_its_upstream_gradient_makes_it_small() -> None:
    call = prepare("DistributionCrossEntropy", {}, {"p": [0.5], "q": [2.0**-1026]})
    gradient = call.gradient(np.array(2.0**-10))["q"]
    assert gradient.tolist() == [-(2.0**1015)]


def test_certainty_has_no_entropy_and_no_error() -> None:
    truth = truth_of(prepare("Entropy", {}, {"p": [[1.0, 0.0, 0.0]]}), FLOAT32)
    assert (truth.value.value.tolist(), truth.value.bound.tolist()) == ([0.0], [0.0])


def test_float64_is_judged_beyond_its_own_digits() -> None:
    """Log 10 lies between two float64 numbers; the truth knows where."""
    value = truth_of(prepare("SelfInformation", {}, {"p": [0.1]}), FORMATS["float64"]).value
    assert value.value[0] == -math.log(0.1)
    assert 0 < abs(value.remainder[0]) <= math.ulp(value.value[0]) / 2
    share = compare(value.value, value).error_over_budget
    assert share == pytest.approx(abs(value.remainder[0]) / (2 * value.bound[0]))


def test_overflow_is_found_in_the_formula() -> None:
    """300 squared is beyond float16; a hundredth of it is not, but the way there leads through infinity."""
    args = {"losses": [1.0], "parameters": [300.0]}
    call = prepare("Objective", {"l2": 0.01}, args)
    half, single_precision = truth_of(call, FLOAT16).value, truth_of(call, FLOAT32).value
    assert half.value == 901.0
    assert accepts(math.inf, half)
    assert accepts(901.0, half)
    assert not accepts(905.0, half)
    assert not accepts(math.inf, single_precision)


@pytest.mark.parametrize("observed", [math.nan, -math.inf])
@pytest.mark.parametrize("name", list(FORMATS))
def test_the_information_of_the_impossible_is_infinite_and_nothing_else(name: str, observed: float) -> None:
    truth = truth_of(prepare("SelfInformation", {}, {"p": [0.0]}), FORMATS[name]).value
    assert truth.value.tolist() == [math.inf]
    assert not compare(np.array([observed]), truth).agrees


@pytest.mark.parametrize("name", list(FORMATS))
def test_exactly_at_a_kink_the_gradient_is_torch_s(name: str) -> None:
    args = {"losses": [1.0], "parameters": [0.0, 2.0]}
    truth = truth_of(prepare("Objective", {"l1": 1.0}, args), FORMATS[name]).gradients[0]["parameters"]
    for slope, is_right in ((0.0, True), (-1.0, False), (0.5, False), (1.0, False)):
        assert compare(np.array([slope, 1.0]), truth).agrees is is_right


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_where_rounding_leaves_the_side_open_any_subgradient_is_right(name: str) -> None:
    """A tenth is another number in each format, so whether it is below a margin of 0.1 is up to rounding."""
    tenth = float(FORMATS[name].round(0.1))
    call = prepare("HingeEmbeddingLoss", {"margin": 0.1}, {"input": [tenth], "target": [-1.0]})
    truth = truth_of(call, FORMATS[name]).gradients[0]["input"]
    for slope, is_right in ((0.0, True), (-0.5, True), (-1.0, True), (1.1, False)):
        assert compare(np.array([slope]), truth).agrees is is_right


@pytest.mark.parametrize("name", DEFAULT_DTYPES)
def test_gradients_are_asked_for_with_ones_and_with_seeded_numbers(name: str) -> None:
    """Ones alone would hide an upstream gradient that is dropped."""
    ones, seeded = upstream_gradients((4, 3), FORMATS[name])
    assert ones.tolist() == np.ones((4, 3)).tolist()
    np.testing.assert_array_equal(FORMATS[name].round(seeded), seeded)
    assert len(np.unique(seeded)) > 6
    assert np.all(np.abs(seeded) <= 2)
    args = {"input": draw_uniform(-4.0, 4.0, (4, 3), 7, FORMATS[name]), "target": draw_index(3, (4,), 8)}
    truth = truth_of(prepare("CrossEntropyLoss", {"reduction": "none"}, args), FORMATS[name])
    dropped, kept = (gradients["input"] for gradients in truth.gradients)
    assert not compare(dropped.value, kept).agrees


def test_class_indices_have_no_gradient() -> None:
    args: dict[str, Any] = {"input": [[1.0, 2.0]], "target": [0]}
    assert set(truth_of(prepare("CrossEntropyLoss", {}, args), FLOAT32).gradients[0]) == {"input"}


def test_a_gradient_is_rounded_once_more_to_the_dtype_of_its_own_tensor() -> None:
    value = np.array([1.0, 0.1, 70000.0, 0.0, np.inf])
    nothing = np.zeros(5)
    truth = Truth(value, nothing, nothing, np.zeros(5, dtype=int), FORMATS["float64"])
    narrow = truth.rounded_to(FLOAT16)
    narrowed = value[:2].astype(np.float16).astype(np.float64)
    assert compare(narrowed, _part(narrow, slice(0, 2))).agrees
    assert not compare(narrowed, _part(truth, slice(0, 2))).agrees
    assert narrow.bound[3] == 0
    assert narrow.overflows.tolist() == [0, 0, POSITIVE, 0, 0]


def _part(truth: Truth, places: slice) -> Truth:
    return Truth(
        truth.value[places],
        truth.remainder[places],
        truth.bound[places],
        truth.overflows[places],
        truth.format,
    )
