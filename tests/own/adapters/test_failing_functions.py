"""What a function or its backward pass does wrong: it is blamed for that, and the rest is judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from examined_cases import cases_of
from their_modules import their_module

from lossproof.adapters.target import TargetSubject
from lossproof.checks.examination import Examiner

MODULE = """
import torch


def loss(x, y, reduction="mean"):
    losses = (x - y) ** 2
    return losses if reduction == "none" else getattr(losses, reduction)()


def without_return(x, y, reduction):
    loss(x, y, reduction)


def to_float(x, y, reduction):
    return float(loss(x, y, "sum"))


def misspelled(x, y, redution="mean"):
    return loss(x, y, redution)


def later(upstream, x, y, reduction):
    raise NotImplementedError("later")


def divides(upstream, x, y, reduction):
    return 1 / 0


def forgets(upstream, x, y, reduction):
    x - y


def by_another_name(upstream, x, y, reduction):
    return {"inputs": x}


def too_many(upstream, x, y, reduction):
    return x, y, x


class Raising(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return (x - y) ** 2

    @staticmethod
    def backward(ctx, upstream):
        raise OverflowError("too large")


def raising(x, y):
    return Raising.apply(x, y)
"""

CASES = cases_of(
    """\
loss: MSELoss
cases:
  - id: plain
    title: two rows
    args: {input: [[1, 2], [1, 3]], target: [[1, 1], [0, 1]]}
    reductions: [none]
"""
)


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    with their_module(tmp_path / "failing_losses.py", MODULE) as path:
        yield path


def examined(module: Path, name: str, backward: str = "") -> dict[str, tuple[str, str]]:
    """The outcome and the message of each quantity."""
    fixed = (
        {} if "reduction" in MODULE.partition(f"def {name}(")[2].partition("\n")[0] else {"reduction": "none"}
    )
    subject = TargetSubject(f"{module}:{name}", "MSELoss", backward=backward, fixed=fixed)
    records = Examiner(with_modes=False).examine(CASES["plain"], subject, "float64")
    return {str(record.quantity): (record.outcome, record.message) for record in records}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("without_return", "raised TypeError: it returned None; is a 'return' missing?"),
        ("to_float", "raised TypeError: it returned a float; let it return an array of torch"),
    ],
)
def test_what_is_no_array_is_called_so(module: Path, name: str, said: str) -> None:
    assert examined(module, name)["value"] == ("error", said)


@pytest.mark.parametrize(
    ("name", "backward", "said"),
    [
        ("loss", "divides", "raised ZeroDivisionError: division by zero"),
        ("loss", "forgets", "raised TypeError: the backward function returned None; is a 'return' missing?"),
        ("loss", "too_many", "the backward function returned 3 gradients; there are input, target"),
        ("loss", "by_another_name", "returned a gradient by 'inputs'; did you mean 'input'?"),
        ("raising", "", "raised OverflowError: too large"),
    ],
)
def test_a_backward_pass_that_fails_leaves_the_value_judged(
    module: Path, name: str, backward: str, said: str
) -> None:
    found = examined(module, name, backward)
    assert found["value"][0] == "agree"
    outcome, message = found["gradient"]
    assert outcome == "error"
    assert said in message


def test_a_backward_pass_that_is_not_written_yet_is_unsupported(module: Path) -> None:
    found = examined(module, "loss", "later")
    assert found["value"][0] == "agree"
    assert found["gradient"] == ("unsupported", "later")


def test_a_parameter_with_nearly_the_name_of_the_missing_one_is_named(module: Path) -> None:
    subject = TargetSubject(f"{module}:misspelled", "MSELoss")
    [record] = Examiner().examine(CASES["plain"], subject, "float64")
    assert record.message == (
        "failing_losses.py:misspelled has no parameter 'reduction'; its 'redution' is none of torch's"
    )
