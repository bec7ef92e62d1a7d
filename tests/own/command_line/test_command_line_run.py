"""``run``: a call that a person types, and its numbers."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import CE, Said, started, typed

from lossproof.corpus.numeral import parse_numeral


def _row(said: Said, heading: str, place: str) -> list[str]:
    """The cells of a number: its true value, torch's, the share and the budget."""
    start = next(number for number, line in enumerate(said.lines) if line.startswith(heading))
    line = next(line for line in said.lines[start + 1 :] if line.strip().startswith(place))
    return line.strip().removeprefix(place).split()


def test_run_tells_the_true_value_and_torchs() -> None:
    said = typed("run", *CE)
    assert said.status == 0
    assert "CrossEntropyLoss, reduction mean, float32" in said.lines
    true, torch, share, budget = _row(said, "value", "")
    # (log(1 + e) + log(1 + 1/e)) / 2 = 0.81326168751822283404899549496785...
    assert true == "0.81326168751822283405"
    assert float(torch) == pytest.approx(0.8132617, abs=1e-6)
    assert 0 <= float(share) <= 1
    assert 1e-8 < float(budget) < 1e-5
    assert "torch.nn.functional" in said.lines[-1]
    assert "agrees" in said.lines[-1]


def test_run_tells_the_gradient_of_each_element() -> None:
    said = typed("run", *CE, "--reduction", "sum")
    # The logistic function at 1: 0.73105857863000487925115924182183...
    assert _row(said, "gradient by input", "[0, 0]")[0] == "-0.73105857863000487925"
    assert _row(said, "gradient by input", "[1, 0]")[0] == "0.26894142136999512075"


@pytest.mark.parametrize(
    ("dtype", "digits"), [("float64", 1e-15), ("float32", 1e-7), ("bfloat16", 0.01), ("float16", 1e-3)]
)
def test_run_computes_in_any_dtype(dtype: str, digits: float) -> None:
    said = typed("run", *CE, "--dtype", dtype)
    assert said.status == 0
    true, torch, _, _ = _row(said, "value", "")
    assert float(torch) == pytest.approx(float(true), abs=digits)


@pytest.mark.parametrize(
    ("words", "true"),
    [
        (("MSELoss", "--input", "[1, 2]", "--target", "[0, 4]"), 2.5),
        (("mse_loss", "--input=[1, 2]", "--target=[0, 4]", "--reduction=sum"), 5),
        (("L1Loss", "--input", "-1", "--target", "-3"), 2),
        (("L1Loss", "--input", "-.inf", "--target", "0"), -math.inf),
        (("HuberLoss", "--input", "[3]", "--target", "[0]", "--delta", "2"), 4),
        (("F.nll_loss", "--input", "[[-1, -2]]", "--target", "[1]", "--ignore-index", "0"), 2),
        (("KLDivLoss", "--input", "[[0, 0]]", "--target", "[[1, 1]]", "--log_target", "false"), 0),
        (("PoissonNLLLoss", "--input", "[2]", "--target", "[1]", "--log_input", "true"), math.e**2 - 2),
        (("Softmax", "--input", "{fill: 3, shape: [4]}", "--dim", "0"), 0.25),
        (("MSELoss", "--input", "['0x1p-1']", "--target", "[0]"), 0.25),
    ],
)
def test_run_takes_what_a_case_takes(words: tuple[str, ...], true: float) -> None:
    said = typed("run", *words, "--dtype", "float64")
    assert said.status == 0, said.text
    cell = _row(said, "value", "[0]" if words[0] == "Softmax" else "")[0]
    assert float(parse_numeral(cell)) == pytest.approx(abs(true), rel=1e-15, abs=1e-15)


def test_run_shows_the_steps_when_asked() -> None:
    said = typed("run", *CE, "--steps")
    assert "[0, 0]: 1 - max(1, 2) = -1" in said.text
    assert "[0, 0]: 1 - max(1, 2) = -1" not in typed("run", *CE).text


def test_run_tells_that_a_dtype_rounds_what_was_typed() -> None:
    words = ("run", "L1Loss", "--input", "[0.1]", "--target", "[0]", "--reduction", "sum")
    said = typed(*words)
    assert "as typed, the value is 0.10000000000000000000" in said.text
    assert _row(said, "value", "")[0].startswith("0.100000001490116")
    assert "cannot hold" not in typed("run", *CE).text


def test_run_takes_what_torch_has_no_function_for() -> None:
    said = typed(
        "run", "AdaptiveLogSoftmaxWithLoss", "--input", "[[1, 2]]", "--target", "[0]", "--cutoffs", "[2]",
        "--div_value", "1", "--head_weight", "[[1, 0.5], [-1, 2], [0.25, -0.5]]",
        "--tail_0_0_weight", "[[0.5, -1], [1, 0.25]]", "--tail_0_1_weight", "[[1, 0.5], [-1, 0.25]]",
    )  # fmt: skip
    assert said.status == 0, said.text
    assert said.lines[-1].startswith("torch.nn 2")


def test_run_ends_with_1_where_torch_is_wrong(tmp_path: Path) -> None:
    """A fault is planted in torch's function, as somebody else's build may have one."""
    (tmp_path / "sitecustomize.py").write_text(
        "import torch\n"
        "right = torch.nn.functional.mse_loss\n"
        "torch.nn.functional.mse_loss = lambda *args, **options: right(*args, **options) * 1.01\n"
    )
    finished = started(
        "run", "MSELoss", "--input", "[1, 2]", "--target", "[0, 4]", environment={"PYTHONPATH": str(tmp_path)}
    )
    assert finished.returncode == 1
    assert "disagrees: the result is 2.5" in finished.stdout
    assert "should be 2.5" in finished.stdout


def test_run_tells_what_torch_raises(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import torch\n"
        "def refuse(*args, **options): raise ValueError('not today')\n"
        "torch.nn.functional.mse_loss = refuse\n"
    )
    finished = started(
        "run", "MSELoss", "--input", "1", "--target", "0", environment={"PYTHONPATH": str(tmp_path)}
    )
    assert finished.returncode == 1
    assert "raises ValueError: not today" in finished.stdout


MISTAKES = [
    (("CrossEntropyLos",), "there is no loss 'CrossEntropyLos'; did you mean 'CrossEntropyLoss'?"),
    (("--input", "[1]", "MSELoss"), "the loss comes before the options"),
    (("CrossEntropyLoss",), "CrossEntropyLoss needs --input and --target; it also takes --weight"),
    (("MSELoss", "--inptu", "[1]"), "MSELoss has no option '--inptu'; did you mean '--input'?"),
    ((*CE, "--margin", "2"), "CrossEntropyLoss has no option '--margin'; "),
    ((*CE, "--reduction", "men"), "CrossEntropyLoss has no reduction 'men'; did you mean 'mean'?"),
    ((*CE, "--weight"), "--weight lacks its value"),
    (("MSELoss", "--input", "--target", "[1]"), "--input lacks its value"),
    ((*CE, "--input", "[1]"), "--input appears twice"),
    (("MSELoss", "[1, 2]", "--target", "[1]"), "'[1, 2]' follows no option"),
    (("MSELoss", "--input", "[1, 2", "--target", "1"), "--input: a list in brackets is not closed"),
    (("MSELoss", "--input", "[[1, 2], [3]]", "--target", "1"), "args.input is a ragged list"),
    (("MSELoss", "--input", "[1_0]", "--target", "1"), "'1_0' is ambiguous without quotes"),
    (("MSELoss", "--input", "!!python/name:os.system x", "--target", "1"), "is a tag"),
    (("CrossEntropyLoss", "--input", "[[1, 2]]", "--target", "[2]"), "refuses this call (index): target 2"),
    (("BCELoss", "--input", "[0.5]", "--target", "1"), "refuses this call (shape)"),
    ((*CE, "--label_smoothing", "2"), "refuses this call"),
    ((*CE, "--dtype", "double"), "there is no dtype 'double'"),
    (
        ("L1Loss", "--input", "{complex: [[1], [2]]}", "--target", "[1]", "--dtype", "float16"),
        "no complex number has parts of float16; take --dtype float64 or float32",
    ),
]


@pytest.mark.parametrize(("words", "answer"), MISTAKES, ids=[" ".join(words)[-50:] for words, _ in MISTAKES])
def test_a_mistake_in_a_typed_call_is_answered_in_a_sentence(words: tuple[str, ...], answer: str) -> None:
    said = typed("run", *words)
    assert said.status == 2
    assert answer in said.text


def test_all_that_is_wrong_with_a_typed_call_is_said_at_once() -> None:
    said = typed("run", "CrossEntropyLoss", "--inptu", "[1]", "--weight", "[1", "--reduction", "men")
    assert len(said.lines) == 4


def test_run_names_every_symbol_of_the_formula() -> None:
    said = typed("run", *CE)
    assert "  y_n  target[n], the class of sample n" in said.lines


def test_run_computes_in_all_dtypes() -> None:
    said = typed("run", *CE, "--dtype", "all")
    assert said.status == 0
    heads = [line for line in said.lines if line.startswith("CrossEntropyLoss, ")]
    assert heads == [
        f"CrossEntropyLoss, reduction mean, {dtype}"
        for dtype in ("float64", "float32", "bfloat16", "float16")
    ]
    assert said.text.count("CrossEntropyLoss: l_n") == 1


def test_a_dtype_that_torch_lacks_is_no_disagreement_among_all() -> None:
    words = ("CTCLoss", "--log_probs", "{log_softmax: [[[1, 2]], [[3, 4]]], dim: 2}", "--targets", "[[1]]")
    more = ("--input_lengths", "[2]", "--target_lengths", "[1]")
    assert typed("run", *words, *more, "--dtype", "float16").status == 1
    said = typed("run", *words, *more, "--dtype", "all")
    assert "cannot do it" in said.text
    assert said.status == 0


def _program(text: str) -> str:
    return text.partition("a program of this call, for its ")[2].partition("\n")[2]


def test_run_writes_a_program_that_holds() -> None:
    said = typed("run", *CE, "--snippet")
    program = _program(said.text)
    assert program.startswith("import torch\n")
    exec(program, {})
    with pytest.raises(AssertionError):
        exec(program.replace("reduction='mean'", "reduction='mean') * (1.01"), {})


def test_run_writes_a_program_that_fails_while_torch_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import torch\n"
        "right = torch.nn.functional.mse_loss\n"
        "torch.nn.functional.mse_loss = lambda *args, **options: right(*args, **options) * 1.01\n"
    )
    words = ("run", "MSELoss", "--input", "[1, 2]", "--target", "[0, 4]")
    environment = {"PYTHONPATH": str(tmp_path)}
    assert "add --snippet" in started(*words, environment=environment).stdout
    finished = started(*words, "--snippet", environment=environment)
    assert finished.returncode == 1
    program = tmp_path / "program.py"
    program.write_text(_program(finished.stdout))
    command = [sys.executable, str(program)]
    planted = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert "AssertionError" in planted.stderr
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
