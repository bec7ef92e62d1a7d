"""The program of a record sends the runner its message: it fails until the runner is mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from examined_cases import cases_of
from repository import whole_cases
from runners import before_answering, subject_of, write_runner
from snippet_runs import fails_as_told, outcome_of

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.records.record import Record

FEW = cases_of(
    """\
cases:
  - id: two
    title: two differences
    loss: MSELoss
    args: {input: [1, 2.5], target: [0.5, 4]}
  - id: sum
    title: two differences, summed
    loss: MSELoss
    args: {input: [1, 2.5], target: [0.5, 4]}
    reductions: [sum]
  - id: many
    title: many differences
    loss: MSELoss
    args: {input: {uniform: [-1, 1], shape: [500], seed: 1}, target: {fill: 0.5, shape: [500]}}
"""
)
SLOPE = ("divide(2 * difference * g)", "divide(3 * difference * g)")
SIGN = ("[-slope for slope in slopes]", "slopes")
IGNORED_UPSTREAM = ('read(message["upstream"]) *', '[1.0] * len(read(message["upstream"])) *')


REFUSAL = cases_of(
    """\
cases:
  - id: option
    title: no reduction
    loss: MSELoss
    params: {reduction: total}
    args: {input: [1, 2], target: [1, 2]}
    raises: {when: call, kind: option, torch: {type: ValueError, match: "reduction"}}
"""
)["option"]


def failures(case: Case, folder: Path, *changes: tuple[str, str]) -> list[Record]:
    with subject_of(write_runner(folder, *changes), seconds=2) as subject:
        records = Examiner().examine(case, subject, "float64")
    return [record for record in records if record.outcome.is_failing]


@pytest.mark.parametrize(
    ("case", "change", "quantities"),
    [
        ("two", SLOPE, {"gradient:input", "gradient:target", "vjp:input", "vjp:target"}),
        ("two", SIGN, {"gradient:target", "vjp:target"}),
        ("two", IGNORED_UPSTREAM, {"vjp:input", "vjp:target"}),
        ("two", ("[divide(sum(losses, 0.0))]", "[divide(sum(losses, 1.0))]"), {"value"}),
        ("two", ("tensor([], [divide", "tensor([1], [divide"), {"value"}),
        ("many", SLOPE, {"gradient:input", "gradient:target", "vjp:input", "vjp:target"}),
    ],
)
def test_the_program_of_wrong_numbers(
    case: str, change: tuple[str, str], quantities: set[str], tmp_path: Path
) -> None:
    failed = failures(FEW[case], tmp_path, change)
    assert {record.quantity for record in failed} == quantities
    assert all(fails_as_told(record) for record in failed)
    write_runner(tmp_path)
    assert {outcome_of(record) for record in failed} == {"passes"}


def test_the_program_of_an_identity_of_two_calls(tmp_path: Path) -> None:
    case = whole_cases()["mse-both-sides"]
    lopsided = (
        "losses = [difference * difference",
        "losses = [difference * difference * (1 + (difference > 0))",
    )
    failed = [one for one in failures(case, tmp_path, lopsided) if one.quantity == "same_as"]
    assert failed
    assert all(fails_as_told(record) for record in failed)
    write_runner(tmp_path)
    assert {outcome_of(record) for record in failed} == {"passes"}


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("return {'seq': message['seq'], 'refused': 'not today'}", "RuntimeError"),
        ("1 / 0", "CalledProcessError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "CalledProcessError"),
        ("import time; time.sleep(1000)", "TimeoutExpired"),
        ("print('hello')", "NoAnswer"),
        ("return {'seq': message['seq'], 'values': []}", "NoAnswer"),
        ("return {'seq': message['seq'], 'value': tensor([], [1.0]), 'gradient': {}}", "NoAnswer"),
        ("return {'seq': 1000, 'value': tensor([], [1.0])}", "NoAnswer"),
    ],
)
@pytest.mark.parametrize("is_second", [False, True])
def test_the_program_of_an_answer_that_is_none(
    code: str, outcome: str, is_second: bool, tmp_path: Path
) -> None:
    condition = "message['upstream']['data'][0] != '0x1p+0'" if is_second else "True"
    failed = failures(FEW["sum"], tmp_path, before_answering(f"if {condition}:\n        {code}"))
    assert len(failed) == 1
    assert {outcome_of(record) for record in failed} == {outcome}
    write_runner(tmp_path)
    assert {outcome_of(record) for record in failed} == {"passes"}


def test_the_program_of_a_crash_in_place_of_a_refusal(tmp_path: Path) -> None:
    [record] = failures(REFUSAL, tmp_path, before_answering("1 / 0"))
    assert record.outcome == "disagree"
    assert record.message.startswith("ProcessEnded: the process ended with status 1")
    assert "must be refused, for its option" in record.message
    assert fails_as_told(record)
    write_runner(tmp_path)
    assert outcome_of(record) == "passes"


def test_a_program_holds_the_line_that_the_runner_gets_and_needs_no_lossproof(tmp_path: Path) -> None:
    [record, *_] = failures(FEW["two"], tmp_path, SLOPE)
    assert record.detail is not None
    lines = record.detail["snippet"].splitlines()
    assert any(line.startswith("""run = '{"cmd": "run", "seq": 1, "loss": "MSELoss", """) for line in lines)
    assert any(line.startswith("# Messages to squares 1.0 (Python)") for line in lines)
    assert "lossproof" not in record.detail["snippet"]
    assert "torch" not in record.detail["snippet"]


def test_the_program_of_many_numbers_is_short(tmp_path: Path) -> None:
    for record in failures(FEW["many"], tmp_path, SLOPE):
        assert record.detail is not None
        assert len(record.detail["snippet"]) < 20_000
