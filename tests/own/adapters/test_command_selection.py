"""``--command`` selects the cases of the losses that the program announces; what is wrong is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import whole_corpus
from runners import before_answering, write_runner
from suite_runs import Suite

from lossproof.running.mistakes import SelectionError
from lossproof.running.selection import select

CASES = """\
cases:
  - id: mse-two
    title: two differences
    loss: MSELoss
    args: {input: [1, 2.5], target: [0.5, 4]}
    expect: {sum: 2.5}
  - id: l1-two
    title: two differences
    loss: L1Loss
    args: {input: [1, 2.5], target: [0.5, 4]}
"""


def refusal(command: str, **options: str) -> str:
    with pytest.raises(SelectionError) as refused:
        select(whole_corpus(), "", "", "", "cpu", command=command, **options)
    return str(refused.value)


def test_the_losses_that_it_announces_select_the_cases(tmp_path: Path) -> None:
    selection = select(whole_corpus(), "", "", "", "cpu", command=write_runner(tmp_path))
    losses = {case.id: case.loss for case in whole_corpus().cases}
    assert {losses[trial.case.id] for trial in selection.trials} == {"MSELoss"}
    assert {trial.subject for trial in selection.trials} == {"squares"}
    assert {trial.dtype for trial in selection.trials} == {"float64"}
    everything = select(whole_corpus(), "reference", "", "", "cpu", command=write_runner(tmp_path))
    assert {trial.subject for trial in everything.trials} == {"reference", "squares"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("./no-such-runner", "the runner './no-such-runner' did not say what it is: it cannot be started"),
        ("sh -c 'exit 3'", "the process ended with status 3"),
        (
            "sh -c 'echo of my own >&2; exit 3'",
            "; its stderr: of my own; docs/any-language.md says",
        ),
        ("echo hello", "the answer to start is wrong: it is 'hello', which is no JSON"),
        ("'./runner", "--command ''./runner' cannot be read (No closing quotation); mend its quotes"),
        ("''", "did not say what it is: it cannot be started"),
        (" ", "cannot be read (it names no program)"),
    ],
)
def test_a_program_that_does_not_say_what_it_is(command: str, words: str) -> None:
    assert words in refusal(command)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"MSELoss"', '"MseLoss"'), "losses names 'MseLoss', which does not exist; did you mean 'MSELoss'?"),
        (('"float64"]', '"double"]'), "dtypes names 'double', which does not exist"),
        (
            ('"name": "squares"', '"name": "torch.nn"'),
            "calls itself torch.nn, a name that is taken; rename it",
        ),
        (
            ('"name": "squares"', '"name": "certified"'),
            "calls itself certified, a name that is taken; rename it",
        ),
        (('"version": "1.0",', ""), "it lacks 'version'"),
    ],
)
def test_a_program_that_says_something_wrong(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    assert words in refusal(write_runner(tmp_path, change))


def test_options_that_contradict_each_other(tmp_path: Path) -> None:
    command = write_runner(tmp_path)
    assert "name two subjects; name one" in refusal(command, subject="math:fsum", loss="MSELoss")
    assert "--as is about a function" in refusal(command, loss="MSELoss")
    assert "--check-messages is about a program" in refusal("", check_messages="yes")


@pytest.fixture
def small(suite: Suite) -> Suite:
    (suite.cases / "losses.yaml").write_text(CASES)
    return suite


def test_a_run_with_a_right_program_passes_and_says_its_name(small: Suite, tmp_path: Path) -> None:
    finished = small.verify("--command", write_runner(tmp_path), "--check-messages")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Everything conforms: in 1 case" in finished.stdout
    assert {record["subject"] for record in small.records()} == {"squares"}
    assert {record["case"] for record in small.records()} == {"mse-two"}


def test_workers_have_runners_of_their_own(small: Suite, tmp_path: Path) -> None:
    finished = small.verify("--command", write_runner(tmp_path), "--numprocesses", "1")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert {record["outcome"] for record in small.records()} == {"agree"}


def test_a_run_with_a_program_that_fails_goes_on_and_shows_how(small: Suite, tmp_path: Path) -> None:
    dies = before_answering('if message["parameters"]["reduction"] == "mean": 1 / 0')
    finished = small.verify("--command", write_runner(tmp_path, dies))
    assert finished.returncode == 1
    assert "ZeroDivisionError: division by zero" in finished.stdout
    assert "Traceback" not in finished.stderr
    outcomes = {(str(one["reduction"]), str(one["outcome"])) for one in small.records()}
    assert outcomes == {("none", "agree"), ("sum", "agree"), ("mean", "error")}


def test_a_program_that_does_not_start_is_a_mistake_in_the_options(small: Suite) -> None:
    finished = small.verify("--command", "./no-such-runner")
    assert finished.returncode == 2
    assert "it cannot be started: No such file or directory" in finished.stderr + finished.stdout
    assert "Traceback" not in finished.stderr + finished.stdout


def test_nobody_knows_when_a_program_has_changed(small: Suite, tmp_path: Path) -> None:
    finished = small.verify("--command", write_runner(tmp_path), "--changed")
    assert finished.returncode == 2
    assert "--changed cannot tell when the program of --command changes" in finished.stderr + finished.stdout
