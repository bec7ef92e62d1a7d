"""The curve through a case's point: which number varies, how far, and what either side makes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from pretenders import Pretender, Refusing

from lossproof.corpus.case import Case
from lossproof.corpus.tensors import Complex, Tensor
from lossproof.judging.calls import CallPlanner, PlannedCall
from lossproof.judging.content_store import ContentStore
from lossproof.judging.illustrations import curve
from lossproof.judging.stored_truth import storing
from lossproof.numbers.formats import FORMATS
from lossproof.reference.evaluation import PreparedCall
from lossproof.subjects.call import Call, Observation, Refused, Unsupported
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.subject import Subject

ZEROS = literal(["0", "0"])


def case(loss: str, **args: Tensor) -> Case:
    return Case("one", "a case", loss, "cases/x.yaml", 3, args=args)


def squares(*numbers: str) -> Case:
    """The squares of some numbers."""
    return case("MSELoss", input=literal(numbers), target=literal(["0"] * len(numbers)))


def drawn(
    case: Case, subject: Subject | None = None, dtype: str = "float32", reduction: str | None = "sum"
) -> dict[str, Any]:
    """The curve of a case and a subject, which is right by default; nothing where there is none."""
    planned: PlannedCall = CallPlanner().plan(case, dtype, reduction)
    call = replace(planned.call, upstreams=planned.truth.upstreams, wrt=planned.prepared.differentiable)
    told = curve(GuardedSubject(subject or Pretender()), call, planned)
    json.dumps(told, allow_nan=False)  # not every reader of JSON knows infinities
    return told or {}


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("column", [0, 1])
def test_the_element_varies_whose_slope_is_steepest_to_either_side(row: int, column: int) -> None:
    numbers = np.ones((2, 2))
    numbers[row, column] = -1.25
    told = drawn(case("MSELoss", input=literal(numbers.tolist()), target=ZEROS), reduction="none")
    assert (told["argument"], told["at"], told["here"], told["reduction"]) == (
        "input",
        [row, column],
        -1.25,
        "none",
    )
    np.testing.assert_allclose(told["truth"], 3 + np.square(told["x"]), rtol=1e-6)
    np.testing.assert_allclose(told["slope"], 2 * np.array(told["x"]), rtol=1e-6)


def test_a_number_alone_has_a_curve() -> None:
    told = drawn(case("MSELoss", input=literal("2"), target=literal("1")))
    assert (told["at"], told["here"]) == ([], 2.0)


def test_what_is_infinite_or_infinitely_steep_does_not_vary() -> None:
    for other in ("2", "0"):
        told = drawn(case("L1Loss", input=literal([".inf", other]), target=ZEROS), reduction="mean")
        assert told["at"] == [1]
        assert set(told["truth"]) == set(told["observed"]) == {"inf"}
    information = case("SelfInformation", p=literal(["0", "0.5"]))
    assert drawn(information, reduction=None)["at"] == [1]


def test_integers_do_not_vary() -> None:
    integers = literal(["1", "2"], "int64")
    assert drawn(case("MSELoss", input=integers, target=literal(["3", "5"])))["argument"] == "target"
    assert not drawn(case("PoissonNLLLoss", input=integers, target=integers))


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(literal([]), id="none at all"),
        pytest.param(literal([".inf", ".nan"]), id="none finite"),
        pytest.param(Complex(literal(["1", "2"]), literal(["3", "4"])), id="complex"),
    ],
)
def test_where_nothing_can_vary_there_is_no_curve(numbers: Tensor) -> None:
    assert not drawn(case("L1Loss", input=numbers, target=numbers))


@pytest.mark.parametrize(
    ("here", "ends"),
    [("2", (-1, 5)), ("-0.5", (-3.5, 2.5)), ("5", (0, 10)), ("-5", (-10, 0))],
)
def test_a_curve_goes_as_far_to_either_side(here: str, ends: tuple[float, float]) -> None:
    """As far as zero, or else as three."""
    told = drawn(squares(here))
    assert (told["x"][0], told["x"][-1]) == ends
    assert len(told["x"]) == 41
    assert told["x"][20] == told["here"] == float(here)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_curve_goes_beyond_the_largest_number(dtype: str, sign: int) -> None:
    largest = FORMATS[dtype].largest
    here = literal([(sign * largest * 0.75).hex()])
    told = drawn(case("L1Loss", input=here, target=literal(["0"])), dtype=dtype)
    assert sorted((told["x"][0], told["x"][-1]), key=abs) == [0, sign * largest]
    assert all(math.isfinite(number) for number in (*told["x"], *told["truth"], *told["observed"]))


def test_a_probability_varies_from_0_to_1() -> None:
    told = drawn(case("BCELoss", input=literal(["0.31"]), target=literal(["1"])))
    assert (told["x"][0], told["x"][-1]) == (0.0, 1.0)
    assert told["here"] in told["x"]
    assert told["here"] == float(np.float32(0.31))
    assert told["x"] == sorted(set(told["x"]))
    np.testing.assert_allclose(told["truth"], -np.log(np.maximum(told["x"], np.exp(-100.0))), atol=1e-6)


def test_a_variance_varies_from_0() -> None:
    """It is the first that can be differentiated, the others being integers."""
    integers = literal(["1"], "int64")
    told = drawn(case("GaussianNLLLoss", input=integers, target=integers, var=literal(["2"])))
    assert (told["argument"], told["x"][0], told["x"][-1]) == ("var", 0.0, 5.0)


def test_the_numbers_are_of_the_arguments_own_format() -> None:
    narrow = case("MSELoss", input=literal(["0.3"], "float16"), target=literal(["1"]))
    told = drawn(narrow)
    np.testing.assert_array_equal(told["x"], np.array(told["x"], dtype=np.float16))
    assert told["here"] in told["x"]


def both_infinities(call: Call, answer: Observation) -> Observation:
    return replace(answer, value=np.array([math.inf, -math.inf]))


def test_infinities_of_both_signs_have_no_sum() -> None:
    told = drawn(case("MSELoss", input=literal(["2", "1"]), target=ZEROS), Pretender(both_infinities))
    assert set(told["observed"]) == {"nan"}


def test_the_truth_of_infinities_of_both_signs_is_told_as_well() -> None:
    """Their sum is undefined, and computing it nothing to warn of."""
    logarithms = case("KLDivLoss", input=literal(["0.5", ".inf", "-.inf"]), target=literal(["4", "1", "1"]))
    told = drawn(logarithms, reduction="none")
    assert (told["at"], set(told["truth"])) == ([0], {"nan"})
    assert set(told["slope"]) == {-4.0}


def test_a_subject_is_asked_for_one_slope_alone() -> None:
    """Another gradient may be what it refuses, and costs time."""
    subject = Pretender()
    planned = CallPlanner().plan(squares("1", "2"), "float32", "none")
    call = replace(planned.call, upstreams=planned.truth.upstreams, wrt=planned.prepared.differentiable)
    curve(GuardedSubject(subject), call, planned)
    assert len(subject.calls) == 41
    assert {one.wrt for one in subject.calls} == {("input",)}
    for one in subject.calls:
        [upstream] = one.upstreams
        np.testing.assert_array_equal(upstream, [1, 1])


def test_the_call_itself_stays_as_it_is() -> None:
    planned = CallPlanner().plan(squares("1", "2"), "float32", "none")
    call = replace(planned.call, upstreams=planned.truth.upstreams)
    curve(GuardedSubject(Pretender()), call, planned)
    np.testing.assert_array_equal(call.args["input"].numbers, [1, 2])


@pytest.mark.parametrize(
    "error", [Refused("RuntimeError", "no", "call"), Unsupported("no kernel"), ValueError()]
)
def test_what_a_subject_does_not_compute_is_a_gap(error: Exception) -> None:
    told = drawn(squares("1", "2"), Refusing(error))
    assert set(told["observed"]) == set(told["observed_slope"]) == {"nan"}
    np.testing.assert_allclose(told["truth"], 1 + np.square(told["x"]), rtol=1e-6)


def test_a_gap_is_where_the_subject_leaves_it() -> None:
    def act(call: Call, answer: Observation) -> Observation:
        if call.args["input"].numbers[1] > 3:
            raise Refused("RuntimeError", "too large", "call")
        return replace(answer, value=answer.value + 0.5)

    told = drawn(squares("1", "2"), Pretender(act))
    x, wanted = np.array(told["x"]), np.array(told["truth"]) + 0.5
    seen = np.array([float(number) for number in told["observed"]])
    np.testing.assert_allclose(seen, np.where(x > 3, math.nan, wanted), rtol=1e-6)
    slopes = np.array([float(number) for number in told["observed_slope"]])
    np.testing.assert_allclose(slopes, np.where(x > 3, math.nan, 2 * x), rtol=1e-6)


def misshapen_value(call: Call, answer: Observation) -> Observation:
    return replace(answer, value=answer.value.reshape(-1, 1), gradients=())


def misshapen_gradient(call: Call, answer: Observation) -> Observation:
    return replace(answer, gradients=tuple({"input": one["input"][:, None]} for one in answer.gradients))


@pytest.mark.parametrize("act", [misshapen_value, misshapen_gradient])
def test_a_wrong_shape_has_no_slope_but_a_sum(act: Callable[[Call, Observation], Observation]) -> None:
    told = drawn(squares("1", "2"), Pretender(act), reduction="none")
    assert set(told["observed_slope"]) == {"nan"}
    assert told["observed"] == told["truth"]


def test_seven_digits_are_enough_for_a_drawing() -> None:
    told = drawn(squares("0.1"), dtype="float64")
    assert all(number == float(f"{number:.7g}") for number in (*told["truth"], *told["slope"]))


def of_reference(number: str) -> list[object]:
    told = drawn(squares(number), Refusing(Unsupported("no kernel")))
    return [told["x"], told["truth"], told["slope"]]


def test_the_curve_of_the_reference_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with storing(ContentStore(tmp_path / "store")):
        first, other = of_reference("3"), of_reference("4")
        monkeypatch.setattr(PreparedCall, "value", None)
        assert of_reference("3") == first != other
