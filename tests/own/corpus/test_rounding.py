"""A number that a dtype cannot hold exactly is named, unless the case says that it is rounded."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus_specimens import IN_ORDER, complaints_about, load

from lossproof.corpus.lint import lint_rounding

# A loss whose target holds no class indices.
OF_REAL_NUMBERS = IN_ORDER.replace("CrossEntropyLoss", "KLDivLoss")


@pytest.mark.parametrize(
    ("number", "dtypes"),
    [
        ("0.1", ["float64", "float32", "bfloat16", "float16"]),
        ("257", ["bfloat16"]),
        ("256", []),
        ("2049", ["bfloat16", "float16"]),
        ("16777217", ["float32", "bfloat16", "float16"]),
        ("9007199254740993", ["float64", "float32", "bfloat16", "float16"]),
        ("65504", ["bfloat16"]),
        ("65536", ["float16"]),
        ("'0x1p-24'", []),
        ("'0x1p-25'", ["float16"]),
        ("'0x1p-133'", ["float16"]),
        ("'0x1p-134'", ["bfloat16", "float16"]),
        ("'0x1p-149'", ["bfloat16", "float16"]),
        ("'0x1p-150'", ["float32", "bfloat16", "float16"]),
        ("'0x1p-1074'", ["float32", "bfloat16", "float16"]),
        ("'0x1p-1075'", ["float64", "float32", "bfloat16", "float16"]),
        ("'0x1.8p-24'", ["float16"]),
        ("'0x1p128'", ["float32", "bfloat16", "float16"]),
        ("-.inf", []),
        (".nan", []),
        ("-0.0", []),
    ],
)
def test_a_number_that_a_dtype_cannot_hold_is_named(tmp_path: Path, number: str, dtypes: list[str]) -> None:
    text = IN_ORDER.replace("[[1, 2]", f"[[1, {number}]")
    found = complaints_about(tmp_path, x=text)
    assert [one.problem for one in found] == (
        [f"args.input holds {number.strip(chr(39))}, which {', '.join(dtypes)} cannot hold exactly"]
        if dtypes
        else []
    )
    if dtypes:
        case = load(tmp_path, x=text + "    rounded: true\n").cases[0]
        assert lint_rounding(case) == []


@pytest.mark.parametrize(
    "target",
    [
        "{dtype: int64, data: [257, 1]}",
        "{dtype: float32, data: [257, 1]}",
        "{sigmoid: [0.1, 1]}",
        "{uniform: [0.1, 1], shape: [2], seed: 1}",
    ],
)
def test_a_number_that_no_run_rounds_is_not_named(tmp_path: Path, target: str) -> None:
    assert complaints_about(tmp_path, x=OF_REAL_NUMBERS.replace("[0, 1]", target)) == ()


def test_a_class_index_is_rounded_by_no_run(tmp_path: Path) -> None:
    assert complaints_about(tmp_path, x=IN_ORDER.replace("[0, 1]", "[257, 1]")) == ()
    (found,) = complaints_about(tmp_path, x=OF_REAL_NUMBERS.replace("[0, 1]", "[257, 1]"))
    assert found.problem == "args.target holds 257, which bfloat16 cannot hold exactly"


def test_the_numbers_of_another_call_are_looked_at_too(tmp_path: Path) -> None:
    term = "    same_as: {args: {input: [[1, 257]], target: [257]}, why: it is}\n"
    (found,) = complaints_about(tmp_path, x=IN_ORDER + term)
    assert found.problem == "same_as.args.input holds 257, which bfloat16 cannot hold exactly"


@pytest.mark.parametrize(
    "tensor",
    [
        "{fill: 0.1, shape: [2]}",
        "{reshape: [[0.1, 1]], shape: [2]}",
        "{permute: [0.1, 1], dims: [0]}",
        "{patch: [0, 1], at: [[0]], numbers: [0.1]}",
        "{concatenate: [[0.1], [1]], dim: 0}",
        "{dtype: bfloat16, data: [1, 257.0]}",
        "{dtype: int64, data: [1, 9007199254740993]}",
    ],
)
def test_a_number_inside_a_form_is_named(tmp_path: Path, tensor: str) -> None:
    found = complaints_about(tmp_path, x=OF_REAL_NUMBERS.replace("[0, 1]", tensor))
    assert ["args.target holds" in str(one) for one in found] == [True]
