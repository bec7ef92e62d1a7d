"""What passes by a rule in the place of its number says so, and only what the formula excuses passes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import case, examine, named
from pretenders import Pretender
from repository import whole_cases

from lossproof.corpus.case import Case
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Complex
from lossproof.records.record import Record
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Observation
from lossproof.subjects.registry import find_subject

# (x - t)^2 is 90000 in the first element, beyond float16, and 4 in the second.
SPREAD = case(
    "GaussianNLLLoss",
    {"input": literal(["300", "2"]), "target": literal(["0", "0"]), "var": literal(["60000", "1"])},
    reductions=("none",),
    dtypes=("float16",),
)


def answering(*value: float) -> Pretender:
    """A subject whose value is this, in float16."""

    def act(call: Call, answer: Observation) -> Observation:
        return replace(answer, value=np.array(value))

    return Pretender(act, dtypes=("float16",))


def infinite_in(dtype: str) -> Pretender:
    """A subject whose value is infinite."""

    def infinite(call: Call, answer: Observation) -> Observation:
        return replace(answer, value=np.array(math.inf))

    return Pretender(infinite, dtypes=(dtype,))


def value_of(examined: Case, subject: Any, dtype: str) -> Record:
    return named(examine(examined, subject, dtype, with_modes=False), "value")


def test_torch_overflows_where_the_formula_does_and_that_is_no_agreement() -> None:
    record = value_of(SPREAD, find_subject("torch.nn.functional"), "float16")
    assert (record.outcome, record.rule) == ("overflowed", "overflow")
    assert "at [0] inf passes for 6.251" in record.message
    assert "the step 'losses' overflows, 300 * 300 = 90000 being beyond 65504" in record.message


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ((6.25, 2.0), "agree"),
        ((math.inf, 2.0), "overflowed"),
        ((-math.inf, 2.0), "disagree"),  # another sign
        ((math.nan, 2.0), "disagree"),  # no step makes nan of it
        ((6.25, math.nan), "disagree"),  # nothing overflows on this element's way
        ((6.25, math.inf), "disagree"),
        ((math.inf, 9.0), "disagree"),
        ((7.0, 2.0), "disagree"),
    ],
)
def test_only_what_the_overflow_makes_of_an_element_is_excused(
    value: tuple[float, float], outcome: str
) -> None:
    record = value_of(SPREAD, answering(*value), "float16")
    assert record.outcome == outcome, record.message
    assert record.rule == ("overflow" if outcome == "overflowed" else "")


def test_a_result_that_truly_is_beyond_the_range_agrees() -> None:
    beyond = case(
        "MSELoss",
        {"input": literal(["300"]), "target": literal(["0"])},
        reductions=("sum",),
        dtypes=("float16",),
    )
    record = value_of(beyond, find_subject("torch.nn.functional"), "float16")
    assert (record.outcome, record.rule) == ("agree", "")
    assert value_of(beyond, answering(-math.inf), "float16").outcome == "disagree"


def gradient(examined: Case, dtype: str, change: Callable[[Any], Any]) -> Record:
    """The record of the first gradient of a subject that changes it."""
    argument = "x1" if examined.loss == "PairwiseDistance" else "input"

    def act(call: Call, answer: Observation) -> Observation:
        gradients = tuple({**one, argument: change(one[argument])} for one in answer.gradients)
        return replace(answer, gradients=gradients)

    subject = Pretender(act, dtypes=(dtype,))
    return named(examine(examined, subject, dtype, with_modes=False), f"gradient:{argument}")


# A margin that float32 cannot hold: whether 0.1 - 0.1 is above zero depends on its rounding.
AT_A_KINK = case(
    "HingeEmbeddingLoss",
    {"input": literal(["0.1"]), "target": literal(["-1"])},
    params={"margin": parse_numeral("0.1")},
    reductions=("sum",),
    dtypes=("float32",),
    rounded=True,
)


@pytest.mark.parametrize("slope", [0.0, -0.5, -1.0])
def test_any_subgradient_passes_by_the_rule_of_kinks(slope: float) -> None:
    record = gradient(AT_A_KINK, "float32", partial(np.full_like, fill_value=slope))
    assert record.outcome == "agree"
    true = gradient(AT_A_KINK, "float32", lambda true: true)
    assert (true.outcome, true.rule) == ("agree", "")
    is_true = np.array_equal(slope, _slope())
    assert record.rule == ("" if is_true else "kink")
    assert is_true or "any subgradient is right" in record.message


def _slope() -> float:
    slopes: list[float] = []

    def note(true: Any) -> Any:
        slopes.append(float(true[0]))
        return true

    gradient(AT_A_KINK, "float32", note)
    return slopes[0]


def test_beyond_the_subgradients_nothing_passes() -> None:
    for slope in (1.5, -2.5):
        record = gradient(AT_A_KINK, "float32", partial(np.full_like, fill_value=slope))
        assert (record.outcome, record.rule) == ("disagree", "")


def test_any_share_of_a_tie_in_doubt_passes_by_the_rule_of_ties() -> None:
    tied = case(
        "PairwiseDistance",
        {"x1": literal([["0.1", "0.1"]]), "x2": literal([["0", "0"]])},
        params={"p": parse_numeral(".inf"), "eps": parse_numeral("1e-6")},
        dtypes=("float32",),
        rounded=True,
    )
    record = gradient(tied, "float32", lambda true: np.array([[1.0, 0.0]]))
    assert (record.outcome, record.rule) == ("agree", "tie")
    assert "any share of the tie is right" in record.message
    assert gradient(tied, "float32", lambda true: np.array([[2.0, 0.0]])).outcome == "disagree"


def test_what_has_no_bound_passes_by_that() -> None:
    """The gradient 1 - t / (x + eps) has a divisor that may be zero within its own rounding."""
    vanishing = case(
        "PoissonNLLLoss",
        {"input": literal(["-1e-8", "-1e-8"]), "target": literal(["1", "1"])},
        params={"log_input": False, "eps": parse_numeral("1e-8")},
        reductions=("sum",),
        dtypes=("float32",),
        rounded=True,
    )
    record = gradient(vanishing, "float32", partial(np.full_like, fill_value=123.0))
    assert (record.outcome, record.rule) == ("agree", "unbounded")
    assert "a divisor may be zero within its own error" in record.message
    for infinite in ([math.inf, math.inf], [math.inf, 123.0]):
        record = gradient(vanishing, "float32", partial(np.add, infinite))
        assert record.outcome == "disagree"
        assert "as far off as" not in record.message


def test_a_difference_beyond_float64_warns_of_nothing() -> None:
    numbers = {"input": literal(["1.7e308"]), "target": literal(["0"])}
    far = case("L1Loss", numbers, reductions=("none",), dtypes=("float64",))
    opposite = Pretender(lambda call, answer: replace(answer, value=-answer.value))
    assert value_of(far, opposite, "float64").outcome == "disagree"


@pytest.mark.parametrize(
    ("dtype", "number", "outcome"),
    [
        ("float32", "3e38", "overflowed"),  # the sum is beyond single precision, the mean is not
        ("float16", "60000", "disagree"),  # a sum of halves is kept in single precision
    ],
)
def test_a_mean_overflows_where_the_sum_leaves_its_accumulator(dtype: str, number: str, outcome: str) -> None:
    far = case(
        "L1Loss",
        {"input": literal([number, number]), "target": literal(["0", "0"])},
        reductions=("mean",),
        dtypes=(dtype,),
        rounded=True,
    )

    record = value_of(far, infinite_in(dtype), dtype)
    assert record.outcome == outcome
    assert outcome != "overflowed" or "the sum of numbers up to 3e+38 = 6e+38" in record.message


def test_the_operation_told_is_that_of_the_element() -> None:
    far = case(
        "MSELoss",
        {"input": literal(["1", "300", "400"]), "target": literal(["0", "0", "0"])},
        reductions=("none",),
        dtypes=("float16",),
    )
    record = value_of(far, answering(1.0, 90000.0, math.inf), "float16")
    assert record.outcome == "agree"  # both are beyond the range, and infinity is their rounding
    halved = case(
        "GaussianNLLLoss",
        {"input": literal(["1", "400"]), "target": literal(["0", "0"]), "var": literal(["1", "60000"])},
        reductions=("none",),
        dtypes=("float16",),
    )
    assert "400 * 400 = 160000" in value_of(halved, answering(0.5, math.inf), "float16").message
    # In the first element the square overflows, in the second the quotient.
    both = case(
        "GaussianNLLLoss",
        {"input": literal(["300", "200"]), "target": literal(["0", "0"]), "var": literal(["60000", "0.5"])},
        reductions=("none",),
        dtypes=("float16",),
    )
    assert "300 * 300 = 90000" in value_of(both, answering(math.inf, 40000.0), "float16").message
    assert "40000 / 0.5 = 80000" in value_of(both, answering(6.25, math.inf), "float16").message
    squares = {"input": literal(["300", "400"]), "var": literal(["60000", "60000"])}
    message = value_of(
        replace(both, args={**both.args, **squares}), answering(6.25, math.inf), "float16"
    ).message
    assert "400 * 400 = 160000" in message
    # The first of two in one element: the square is divided by 1.
    twice = {"var": literal(["1", "0.5"])}
    message = value_of(
        replace(both, args={**both.args, **twice}), answering(math.inf, 40000.0), "float16"
    ).message
    assert "300 * 300 = 90000" in message


@pytest.mark.parametrize("is_imaginary", [False, True])
def test_either_part_of_a_complex_step_may_overflow(is_imaginary: bool) -> None:
    nothing = literal(["0", "0", "0", "0"])
    above, below = literal(["3e38", "0", "0", "0"]), literal(["-3e38", "0", "0", "0"])
    far = case(
        "L1Loss",
        {
            "input": Complex(nothing, above) if is_imaginary else Complex(above, nothing),
            "target": Complex(nothing, below) if is_imaginary else Complex(below, nothing),
        },
        reductions=("mean",),
        dtypes=("complex64",),
        rounded=True,
    )

    record = value_of(far, infinite_in("complex64"), "complex64")
    assert record.outcome == "overflowed"
    assert "the step 'd' overflows" in record.message


def test_a_step_of_plain_numbers_does_not_overflow() -> None:
    """Without class weights, the first step is that each weight is 1."""
    far = case(
        "NLLLoss",
        {"input": literal([["-3e38", "0"], ["-3e38", "0"]]), "target": literal(["0", "0"])},
        reductions=("mean",),
        dtypes=("float32",),
        rounded=True,
    )

    record = value_of(far, infinite_in("float32"), "float32")
    assert record.outcome == "overflowed"
    assert "the step 'sum' overflows" in record.message


def test_what_overflows_in_no_step_overflows_in_the_formula() -> None:
    far = case(
        "GaussianNLLLoss",
        {"input": literal(["60000"]), "target": literal(["-60000"]), "var": literal(["60000"])},
        reductions=("sum",),
        dtypes=("float16",),
    )
    record = gradient(far, "float16", partial(np.full_like, fill_value=math.inf))
    assert record.outcome == "overflowed"
    assert "the formula overflows, " in record.message


@pytest.mark.parametrize("name", ["BCELoss", "CTCLoss"])
def test_a_gradient_that_is_a_convention_says_so(name: str) -> None:
    id = {"BCELoss": "bce-certain-wrong", "CTCLoss": "ctc-confident"}[name]
    records = examine(whole_cases()[id], find_subject("torch.nn.functional"), "float32", with_modes=False)
    gradients = [one for one in records if one.quantity.startswith("gradient:") and one.outcome == "agree"]
    assert {one.rule for one in gradients} == {"convention"}
    convention = LOSSES[name].convention
    assert convention is not None
    assert convention.means in gradients[0].message
