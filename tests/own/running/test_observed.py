"""Each kind of ``observed``, in a run: what is on record is excused, and nothing else."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from suite_runs import Suite

CASES = """\
loss: CrossEntropyLoss
cases:
  - id: mean
    title: the mean of three rows
    reductions: [mean]
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
  - id: rows
    title: twelve rows
    reductions: [none]
    args: {input: {uniform: [-2, 2], shape: [12, 3], seed: 1}, target: {fill: 1, shape: [12], dtype: int64}}
  - id: alone
    title: of one class the loss is 0, in whatever dtype
    reductions: [mean]
    args: {input: [[1]], target: [0]}
  - id: out-of-range
    title: a class index of C is refused
    args: {input: [[1, 2], [1, 3]], target: [0, 2]}
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
"""
PLANT = """
import torch
right = torch.nn.functional.cross_entropy
def moved(result, to):
    # Its gradient is the right one.
    return result - result.detach() + to
def raising(error):
    raise error
def planted(input, target, *args, **options):
    losses = lambda: right(input, target, *args, **options)
    return {expression}
torch.nn.functional.cross_entropy = planted
"""


class Kind(NamedTuple):
    """An ``observed`` of a case, what gives it, what gives something else, and how that is told."""

    observed: str
    given: str
    otherwise: str
    told: str
    case: str = "mean"
    quantity: str = "value"


KINDS = {
    "a number": Kind(
        "7.0", "moved(losses(), 7.04)", "moved(losses(), 7.0625)", "7.0 is on record for it, not 7.0625"
    ),
    "infinity": Kind(
        ".inf", "moved(losses(), torch.inf)", "moved(losses(), 7)", "inf is on record for it, not 7.0"
    ),
    "no number": Kind(
        ".nan", "moved(losses(), torch.nan)", "moved(losses(), 0)", "nan is on record for it, not 0.0"
    ),
    "several": Kind(
        "[7, .nan]", "moved(losses(), 7)", "moved(losses(), 8)", "7 or nan is on record for it, not 8.0"
    ),
    "how many": Kind(
        "7\n    elements: 2",
        "moved(losses(), torch.tensor([7.] * 2 + [torch.nan] * 10)).where(torch.arange(12) < 2, losses())",
        "moved(losses(), torch.tensor([7.] * 3 + [torch.nan] * 9)).where(torch.arange(12) < 3, losses())",
        "7 in 2 elements is on record for it, not 7.0 in 3",
        "rows",
    ),
    "many numbers": Kind(
        '"12 numbers that add up to 78"',
        "moved(losses(), torch.arange(1., 13.))",
        "moved(losses(), torch.arange(2., 14.))",
        "12 numbers that add up to 78 is on record for it, not 12 numbers that add up to 90",
        "rows",
    ),
    "budgets": Kind(
        "{budgets: 1000}",
        "moved(losses(), losses().detach() * 1.0001)",
        "moved(losses(), losses().detach() * 1.01)",
        "off by up to 1000 budgets is on record",
    ),
    "an exception": Kind(
        '"RuntimeError: no"',
        "raising(RuntimeError('no kernel'))",
        "raising(IndexError('no kernel'))",
        "RuntimeError: no is on record for it, not IndexError: no kernel",
    ),
    "what it says": Kind(
        '"RuntimeError: no"',
        "raising(RuntimeError('no kernel'))",
        "raising(RuntimeError('a kernel'))",
        "RuntimeError: no is on record for it, not RuntimeError: a kernel",
    ),
    "accepted": Kind(
        "accepted",
        "right(input, target.clamp(max=1), *args, **options)",
        "raising(KeyError(2))",
        "accepted is on record for it, not KeyError: 2",
        "out-of-range",
        "raises",
    ),
    "a dtype": Kind(
        "float64",
        "losses().double()",
        "losses().half()",
        "float64 is on record for it, not float16",
        "alone",
        "value, autocast",
    ),
    "a shape": Kind(
        '"shape [1]"',
        "losses().reshape(1)",
        "losses().reshape(1, 1)",
        "shape [1] is on record for it, not shape [1, 1]",
    ),
    "whatever": Kind("varies", "moved(losses(), 7)", "losses()", "the defect is gone"),
}


@pytest.mark.parametrize("name", KINDS)
def test_another_outcome_of_a_known_defect_fails_the_run_and_is_named(suite: Suite, name: str) -> None:
    kind = KINDS[name]
    (suite.cases / "losses.yaml").write_text(CASES)
    (suite.cases / "known-defects.yaml").write_text(
        "defaults: {subject: torch.*, kind: defect, expected: another, why: made up}\n"
        f"defects:\n  - case: {kind.case}\n    quantities: [{kind.quantity}]\n    observed: {kind.observed}\n"
    )
    options = ("--cases", kind.case, "--dtypes", "float32", "--subjects", "torch.nn.functional")
    as_known = suite.verify(suite.plant(PLANT.format(expression=kind.given)), *options)
    assert as_known.returncode == 0, as_known.stdout
    assert "known defect" in {record["outcome"] for record in suite.records()}
    otherwise = suite.verify(suite.plant(PLANT.format(expression=kind.otherwise)), *options)
    assert otherwise.returncode == 1
    assert kind.told in otherwise.stdout, otherwise.stdout
    assert f"[{kind.case}]" in otherwise.stdout
    assert "cases/known-defects.yaml:3" in otherwise.stdout
