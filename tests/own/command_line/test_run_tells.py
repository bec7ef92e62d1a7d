"""What ``run`` tells beside its numbers: what was rounded on the way in, what is known of torch's answer."""

from __future__ import annotations

import pytest
from command_lines import typed

NLL = ("run", "NLLLoss", "--target", "[0, 1]", "--input")
ROUNDED = "takes rounded ones; as typed, the value is"
INFINITE_ROW = ("--input", "[[1, 2, 3], [-.inf, -.inf, -.inf]]")


@pytest.mark.parametrize(
    "tensor",
    [
        "{log_softmax: [[30, -2], [3, 4]], dim: 1}",
        "{log: {softmax: [[30, -2], [3, 4]], dim: 1}}",
        "{permute: {log_softmax: [[30, 3], [-2, 4]], dim: 0}, dims: [1, 0]}",
        "{concatenate: [{log: [[0.5, 0.25]]}, {log: [[0.5, 0.75]]}], dim: 0}",
        "{log: {uniform: [0.25, 0.75], shape: [2, 2], seed: 1}}",
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_numbers_of_a_function_are_rounded_too(tensor: str, dtype: str) -> None:
    said = typed(*NLL, tensor, "--dtype", dtype)
    assert said.status == 0, said.text
    assert f"{dtype} cannot hold every number and {ROUNDED}" in said.text


@pytest.mark.parametrize(
    "tensor",
    [
        "[[-0.5, -1], [-2, -3]]",
        "{uniform: [-4, -1], shape: [2, 2], seed: 1}",
        "{log: [[1, 1], [1, 1]]}",
        "{sigmoid: {fill: 0, shape: [2, 2]}}",
        "[[.inf, -.inf], [.nan, 0]]",
    ],
)
def test_numbers_that_every_dtype_holds_are_not(tensor: str) -> None:
    assert ROUNDED not in typed(*NLL, tensor, "--dtype", "bfloat16").text


def test_the_value_of_what_was_meant_is_told() -> None:
    """-log p of a class that is all but certain: the rounded input tells nothing of it."""
    said = typed(
        *("run", "NLLLoss", "--target", "[0]", "--reduction", "sum"),
        *("--input", "{concatenate: [{log: [[0.1]]}, [[-1]]], dim: 1}"),
    )
    assert "as typed, the value is 2.3025850929940456840." in said.text
    said = typed("run", "L1Loss", "--input", "{log: [3]}", "--target", "[0]", "--dtype", "float16")
    assert "as typed, the value is 1.0986122886681096914." in said.text


def test_a_parameter_that_is_rounded_is_named() -> None:
    words = ("run", "HuberLoss", "--input", "[3]", "--target", "[0]", "--delta")
    assert "delta is the float64 nearest to 0.1:" in typed(*words, "0.1").text
    for exact in ("0.5", "2", ".inf"):
        assert "delta is the float64" not in typed(*words, exact).text


def test_whole_numbers_are_written_out() -> None:
    said = typed("run", "MSELoss", "--input", "[10]", "--target", "[0]")
    row = next(line for line in said.lines if line.split()[:2] == ["100", "100"])
    assert "e" not in row.split()[1]


def test_a_call_on_record_as_a_known_defect_says_so() -> None:
    words = ("run", "CrossEntropyLoss", *INFINITE_ROW, "--target", "[0, -100]")
    for more in ((), ("--ignore-index", "-100", "--reduction", "mean"), ("--label-smoothing", "0.0")):
        said = typed(*words, *more)
        assert said.status == 1
        assert "This is on record, as a known defect: case ce-ignored-infinite-row: the" in said.text
        assert "(https://github.com/pytorch/pytorch/issues/11551)" in said.text


@pytest.mark.parametrize(
    "more",
    [
        ("--target", "[1, -100]"),
        ("--target", "[0, -100]", "--weight", "[1, 1, 2]"),
        ("--target", "[0, 1]", "--ignore-index", "1"),
    ],
)
def test_another_call_is_not_on_record(more: tuple[str, ...]) -> None:
    said = typed("run", "CrossEntropyLoss", *INFINITE_ROW, *more)
    assert said.status == 1
    assert "on record" not in said.text


def test_a_call_that_torch_gets_right_is_not_looked_for() -> None:
    said = typed("run", "CrossEntropyLoss", "--input", "[[1, 2, 3]]", "--target", "[0]")
    assert said.status == 0
    assert "on record" not in said.text


def test_what_passes_by_an_overflow_is_not_said_to_agree() -> None:
    words = ("--input", "[300]", "--target", "[0]", "--var", "[60000]", "--reduction", "none")
    said = typed("run", "GaussianNLLLoss", *words, "--dtype", "float16")
    assert said.status == 0
    assert "passes, but not by all of its numbers" in said.text
    assert "the step 'losses' overflows, 300 * 300 = 90000 being beyond 65504" in said.text
    assert "agrees" not in said.text
    [row] = [line for line in said.text.splitlines() if "6.2510499206021188" in line]
    assert row.split()[2:4] == ["inf", "overflowed"]
