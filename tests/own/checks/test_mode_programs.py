"""What the program of a mode that went wrong asserts: ``test_snippets.py`` runs whole ones on torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from examined_cases import case
from pretended_modes import DISTANCE, examine, moved, scaled
from snippet_runs import lines_pass

from lossproof.corpus.case import Case
from lossproof.judging.calls import CallPlanner

TRUTH = CallPlanner().plan(DISTANCE, "float64", "mean").truth
VALUE = float(TRUTH.value.value)
SUBCLASS = "assert isinstance(result, Subclass), type(result)"
BY_INPUT, BY_TARGET = (TRUTH.gradients[-1][name].value.tolist() for name in ("input", "target"))


def program(mode: str, change: Callable[[Any], Any], examined: Case = DISTANCE) -> tuple[str, str]:
    """The program of the one record that disagrees: how it makes its result, and what it asserts."""
    [record] = [one for one in examine(mode, change, examined).values() if one.outcome != "agree"]
    assert record.detail is not None
    making, _, check = record.detail["snippet"].partition("print(result)\n")
    return making, check


def test_a_gradient_is_asserted_of_the_argument_that_it_is_by() -> None:
    for part, right in (("input", BY_INPUT), ("target", BY_TARGET)):
        making, check = program("func.grad", scaled(part, 1.5))
        assert making.endswith(f"result = gradients['{part}']\n")
        assert lines_pass([check], result=right)
        assert not lines_pass([check], result=np.array(right) * 1.5)


@pytest.mark.parametrize("mode", ["threads", "subclass", "channels_last", "twice"])
def test_the_worst_of_value_and_gradients_is_asserted(mode: str) -> None:
    sides = {
        "value": (VALUE, "output"),
        "input": (BY_INPUT, "gradients['input']"),
        "target": (BY_TARGET, "gradients['target']"),
    }
    for part, (right, shown) in sides.items():
        making, check = program(mode, scaled(part, 1.5))
        # The numbers come in plain tensors.
        check = check.removeprefix(f"{SUBCLASS}\n")
        assert making.endswith(f"result = {shown}\n")
        assert (f"first = {shown}\n" in making) is (mode == "twice")
        first = {"first": right} if mode == "twice" else {}
        assert lines_pass([check], result=right, **first)
        assert not lines_pass([check], result=np.array(right) * 1.5, **first)


@pytest.mark.parametrize("row", [0, 1])
def test_the_row_of_a_batch_that_is_wrong_is_asserted(row: int) -> None:
    _, check = program("vmap", moved((row,), 1.0))
    wrong = [VALUE, VALUE]
    wrong[row] += 1
    assert lines_pass([check], result=[VALUE, VALUE])
    assert not lines_pass([check], result=wrong)
    assert lines_pass([check], result=wrong[::-1])


def changed(place: int, number: float) -> Callable[[Any], Any]:
    def change(seen: Any) -> Any:
        gradients = dict(seen.gradients[0])
        gradients["input"] = gradients["input"].copy()
        gradients["input"][place] = number
        return replace(seen, gradients=(gradients,))

    return change


@pytest.mark.parametrize(("place", "number"), [(1, 1.0), (2, math.nan), (2, 1.0)])
def test_a_second_call_is_held_against_the_first_bit_for_bit(place: int, number: float) -> None:
    """The gradient by the element in the middle is nan."""
    args = {"input": literal(["0.5", ".nan", "-1"]), "target": literal(["1", "1", "0.3"])}
    making, check = program("twice", changed(place, number), case("MSELoss", args))
    assert "first = gradients['input']\n" in making
    assert f"result[{place}].item(), first[{place}].item()" in check
    # Whatever the numbers are: another machine may round its first call otherwise.
    first = [3.0, math.nan, 2.0]
    wrong = [*first[:place], number, *first[place + 1 :]]
    assert lines_pass([check], result=first, first=first)
    assert not lines_pass([check], result=wrong, first=first)


@pytest.mark.parametrize("mode", ["vmap", "twice", "threads", "subclass", "meta", "fake"])
def test_a_dtype_is_asserted(mode: str) -> None:
    _, check = program(mode, lambda seen: replace(seen, dtype="float32"))
    assert "assert dtype == 'float64', dtype\n" in check
    assert (SUBCLASS in check) is (mode == "subclass")


@pytest.mark.parametrize(
    ("mode", "is_right"), [("meta", "result.is_meta"), ("fake", "isinstance(result, FakeTensor)")]
)
def test_of_an_abstract_tensor_its_shape_and_kind_are_asserted(mode: str, is_right: str) -> None:
    making, check = program(mode, lambda seen: replace(seen, value=np.zeros(3)))
    assert check == f"assert {is_right}, result\nassert result.shape == (), result.shape\n"
    making, check = program(mode, by_target)
    assert check == f"assert {is_right}, result\nassert result.shape == (2,), result.shape\n"
    assert making.endswith("result = gradients['target']\n")


def by_target(seen: Any) -> Any:
    return replace(seen, gradients=({"target": np.zeros(2)},))


def test_under_autocast_either_dtype_may_come_out() -> None:
    _, check = program("autocast", lambda seen: replace(seen, dtype="float64"))
    assert check.endswith("assert dtype == 'float32' or dtype == 'bfloat16', dtype\n")
    _, check = program("autocast", scaled("value", 1.5))
    assert lines_pass([check], result=VALUE * 1.01)
    assert not lines_pass([check], result=VALUE * 1.5)
