"""The harness survives every subject, names what it did, and loses nothing else."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from suite_runs import FIRST_AND_LAST, Suite
from unruly_subjects import MISBEHAVIOURS, Unruly

from lossproof.corpus.reading import load_corpus
from lossproof.running import serving
from lossproof.running.selection import Selection, select
from lossproof.running.session import ConformanceSession
from lossproof.running.supervision import Supervisor
from lossproof.subjects.call import Call, Observation
from lossproof.subjects.subject import Subject

# What the record of the misbehaviour says; a tuple is (outcome, part of the message).
SAID: Mapping[str, tuple[str, str]] = {
    "wrong-shape": ("disagree", "shape (2, 2), should be (2,)"),
    "wrong-dtype": ("disagree", "has dtype float32, should have float64"),
    "no-dtype": ("error", "a dtype that is nothing in place of a name"),
    "nan": ("disagree", "is nan, should be"),
    "nan-gradient": ("disagree", "is nan, should be"),
    "no-gradient": ("error", "0 sets of gradients for 2 upstream gradients"),
    "other-gradient": ("error", "no gradient by input"),
    "nothing": ("error", "answered with nothing in place of an Observation"),
    "list": ("error", "answered with a list in place of an Observation"),
    "list-of-numbers": ("error", "a value that is a list in place of a NumPy array"),
    "objects": ("error", "a value whose NumPy dtype is object"),
    "raises": ("error", "raised ZeroDivisionError: of my own"),
    "raises-in-words": ("error", "raised UnicodeError: <b>\x00\u202e"),
    "leaves": ("error", "raised SystemExit: enough"),
    "recurses": ("error", "raised RecursionError"),
    "hangs": ("error", "not done within 15 seconds, the time limit of a trial"),
    "segmentation-fault": ("error", "the process was ended by SIGSEGV"),
    "ends": ("error", "the process ended with status 0"),
    "ends-badly": ("error", "the process ended with status 7"),
    "killed": ("error", "the process was ended by SIGKILL"),
    "closes-files": ("error", "the process ended with status 1"),
    "writes": ("disagree", "the call changed its input: input"),
    "prints": ("disagree", "should be"),
    "no-memory": ("error", "Unable to allocate 8.00 PiB"),
    "eats-memory": ("error", "Unable to allocate 1.00 GiB"),
    "default-dtype": ("error", "the subject changed torch's default dtype"),
    "seed": ("error", "the subject changed torch's seed"),
    "threads": ("error", "the subject changed torch's number of threads"),
    "grad-mode": ("error", "the subject changed torch's grad mode"),
    "numpy": ("error", "the subject changed numpy.abs"),
    "numpy-errors": ("error", "the subject changed NumPy's handling of floating-point errors"),
    "numpy-seed": ("error", "the subject changed NumPy's global random state"),
    "python-seed": ("error", "the subject changed Python's global random state"),
    "torch-functions": ("error", "the subject changed torch.nn.functional.nll_loss"),
    "folder": ("error", "the subject changed the working folder"),
    "environment": ("error", "the subject changed the environment"),
    "other-locale": ("error", "the subject changed the locale"),
    "signals": ("error", "the subject changed the handlers of signals"),
    "limits": ("error", "the subject changed the limits of the process"),
    "streams": ("error", "the subject changed the standard streams"),
    "subnormals": ("error", "the subject changed the handling of subnormal numbers"),
    "anomalies": ("error", "the subject changed torch's anomaly mode"),
    "forks": ("agree", ""),
    "forks-and-ends": ("error", "the process ended with status 3"),
}


class Aftermath:
    """What a run of all unruly subjects left behind."""

    def __init__(self, folder: Path) -> None:
        suite = Suite(folder)
        (suite.cases / "losses.yaml").write_text(FIRST_AND_LAST)
        suite.offer({name: f"unruly_subjects:{name.replace('-', '_')}" for name in MISBEHAVIOURS})
        subjects = ",".join(["reference", *MISBEHAVIOURS, "torch.nn"])
        self.finished = suite.verify("--subjects", subjects, "--time-limit", "15", "-vv")
        assert suite.reports.exists(), self.finished.stdout + self.finished.stderr
        self.records = suite.records()
        self.run = suite.run_line()
        self.junit = ElementTree.parse(suite.reports / "junit.xml").getroot()
        self.html = (suite.reports / "report.html").read_text(encoding="utf-8")
        self.page = suite.page()

    def of(self, subject: str, case: str) -> list[dict[str, object]]:
        found = [one for one in self.records if (one["subject"], one["case"]) == (subject, case)]
        assert found, f"no record of {subject} on {case}\n{self.finished.stdout}{self.finished.stderr}"
        return found


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    return Aftermath(tmp_path_factory.mktemp("fire"))


def test_every_misbehaviour_is_expected_to_be_named() -> None:
    assert set(SAID) | {"prints-and-is-right"} == set(MISBEHAVIOURS)


@pytest.mark.parametrize("subject", SAID)
def test_a_misbehaviour_is_on_record_in_words(aftermath: Aftermath, subject: str) -> None:
    outcome, words = SAID[subject]
    records = aftermath.of(subject, "nll-first")
    assert any(one["outcome"] == outcome and words in str(one["message"]) for one in records), records


@pytest.mark.parametrize("subject", ["reference", *MISBEHAVIOURS, "torch.nn"])
def test_nothing_else_is_lost(aftermath: Aftermath, subject: str) -> None:
    plain = aftermath.of("reference", "ce-last")
    found = aftermath.of(subject, "ce-last")
    assert {one["outcome"] for one in found} == {"agree"}
    if subject != "torch.nn":
        assert [one["quantity"] for one in found] == [one["quantity"] for one in plain]


def test_what_is_printed_does_not_change_what_is_right(aftermath: Aftermath) -> None:
    assert {one["outcome"] for one in aftermath.of("prints-and-is-right", "nll-first")} == {"agree"}


def test_the_end_of_what_is_printed_is_shown_with_the_failure_and_no_more(aftermath: Aftermath) -> None:
    assert "the last words" in aftermath.finished.stdout
    assert len(aftermath.finished.stdout) < 200_000
    assert "moremore" not in aftermath.finished.stdout


def test_the_run_ends_as_any_other_that_fails(aftermath: Aftermath) -> None:
    assert aftermath.finished.returncode == 1
    assert aftermath.run["complete"] is True
    assert "Traceback" not in aftermath.finished.stdout + aftermath.finished.stderr


def test_the_words_of_an_exception_are_text_in_every_report(aftermath: Aftermath) -> None:
    [failing] = [
        one
        for one in aftermath.junit.iter("testcase")
        if one.get("name") == "nll-first-raises-in-words-float64"
    ]
    assert "<b>\\x00\\u202e" in "".join(failing.itertext()) + str([part.attrib for part in failing])
    assert "<b>\\\\x00\\\\u202e" in aftermath.page
    assert "\x00" not in aftermath.page + aftermath.html
    assert "\u202e" not in aftermath.page + aftermath.html
    assert "<b>\\" not in aftermath.html


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("no_such_module:subject", "needs no_such_module, which is not installed; install it"),
        ("unruly_subjects:no_such_subject", "AttributeError"),
        ("unruly_subjects:Shy", "OSError: I would rather not"),
        ("unruly_subjects:MISBEHAVIOURS", "TypeError: 'dict' object is not callable"),
    ],
)
def test_a_subject_that_cannot_be_made_is_a_sentence(suite: Suite, target: str, words: str) -> None:
    suite.offer({"mine": target})
    finished = suite.verify("--subjects", "mine")
    assert finished.returncode == 2
    said = finished.stdout + finished.stderr
    assert re.search(r"the subject 'mine' (cannot be used \(|needs )", said)
    assert words in said
    assert "Traceback" not in said


def test_a_process_may_be_started_anew_instead_of_forked(tmp_path: Path) -> None:
    (tmp_path / "losses.yaml").write_text(FIRST_AND_LAST)
    corpus = load_corpus(tmp_path)
    selection = select(corpus, "torch.nn", "float64", "", "cpu")
    session = ConformanceSession(corpus, selection)
    supervisor = Supervisor(session, 120, method="spawn")
    try:
        answers = [supervisor.examine(check) for check in selection.trials]
    finally:
        supervisor.close()
    assert answers == [session.examine(check) for check in selection.trials]


def test_a_process_that_has_held_much_memory_serves_no_further_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "losses.yaml").write_text(FIRST_AND_LAST)
    corpus = load_corpus(tmp_path)
    selection = select(corpus, "reference", "float64", "", "cpu")
    for most, served in ((2**40, 1), (0, len(selection.trials))):
        monkeypatch.setattr(serving, "_MOST_MEMORY", most)
        supervisor = Supervisor(ConformanceSession(corpus, selection), 120)
        started: list[None] = []
        monkeypatch.setattr(supervisor, "_start", counting(supervisor._start, started))
        answers = [supervisor.examine(trial) for trial in selection.trials]
        supervisor.close()
        assert len(started) == served
        assert not any(answer.complaints for answer in answers)


def test_a_change_that_a_subject_makes_once_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "losses.yaml").write_text(FIRST_AND_LAST)
    corpus = load_corpus(tmp_path)
    mark = tmp_path / "done"

    def change_once(call: Call, answer: Observation) -> Observation:
        if not mark.exists():
            mark.touch()
            random.seed(1)
        return answer

    trial = select(corpus, "reference", "float64", "", "cpu").trials[0]
    subjects: dict[str, Subject] = {name: Unruly(name, change_once) for name in ("changing", "another")}
    trials = tuple(replace(trial, subject=name) for name in subjects)
    supervisor = Supervisor(
        ConformanceSession(corpus, Selection(trials, subjects, ("float64",), "cpu")), 120, method="fork"
    )
    answers = [supervisor.examine(trial) for trial in trials]
    supervisor.close()
    [complaint] = [complaint for answer in answers for complaint in answer.complaints]
    assert "the subject changed Python's global random state" in complaint


def test_what_a_subject_has_forked_answers_nothing_and_ends_with_the_run(tmp_path: Path) -> None:
    (tmp_path / "losses.yaml").write_text(FIRST_AND_LAST)
    corpus = load_corpus(tmp_path)
    mark = tmp_path / "fork"

    def fork(call: Call, answer: Observation) -> Observation:
        if os.fork() == 0:
            mark.write_text(str(os.getpid()))
            time.sleep(1000)
        return answer

    trials = select(corpus, "reference", "float64", "", "cpu").trials
    trials = tuple(replace(trial, subject="forking") for trial in trials)
    selection = Selection(trials, {"forking": Unruly("forking", fork)}, ("float64",), "cpu")
    supervisor = Supervisor(ConformanceSession(corpus, selection), 120, method="fork")
    assert not any(supervisor.examine(trial).complaints for trial in trials)
    forked = int(mark.read_text())
    supervisor.close()
    deadline = time.monotonic() + 30
    while _runs(forked) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(forked)


def test_what_a_subject_has_forked_makes_no_further_call(tmp_path: Path) -> None:
    (tmp_path / "losses.yaml").write_text(FIRST_AND_LAST)
    corpus = load_corpus(tmp_path)
    callers = tmp_path / "callers"

    def fork(call: Call, answer: Observation) -> Observation:
        with callers.open("a") as file:
            file.write(f"{os.getpid()}\n")
        # Without the guard, copies would double with each call: a trial makes four.
        os.fork()
        return answer

    [trial] = [
        one for one in select(corpus, "reference", "float64", "", "cpu").trials if one.case.loss == "NLLLoss"
    ]
    trial = replace(trial, subject="forking")
    selection = Selection((trial,), {"forking": Unruly("forking", fork)}, ("float64",), "cpu")
    supervisor = Supervisor(ConformanceSession(corpus, selection), 120, method="fork")
    answer = supervisor.examine(trial)
    supervisor.close()
    called = callers.read_text().split()
    assert not answer.complaints
    assert len(called) > 1
    assert len(set(called)) == 1


def _runs(process: int) -> bool:
    """Whether a process is there, and not just a zombie that nobody has waited for."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def counting(start: Callable[[], Any], started: list[None]) -> Callable[[], Any]:
    def start_counted() -> Any:
        started.append(None)
        return start()

    return start_counted


def test_results_are_the_same_bytes_in_every_run_with_and_without_workers(suite: Suite) -> None:
    (suite.cases / "more.yaml").write_text(FIRST_AND_LAST)
    lines = []
    for options in ((), (), ("--numprocesses", "2")):
        assert suite.verify(*options).returncode == 0
        lines.append((suite.reports / "results.jsonl").read_bytes().splitlines(keepends=True))
    assert lines[0][1:] == lines[1][1:] == lines[2][1:]


def test_a_judge_that_calls_everything_right_fails_the_run(suite: Suite) -> None:
    code = """
import dataclasses, lossproof.checks.question as e
right = e.compare
e.compare = lambda *args: dataclasses.replace(right(*args), agrees=True)
"""
    finished = suite.verify(suite.plant(code))
    assert finished.returncode == 1
    assert "planted on purpose was not caught" in finished.stdout
    assert suite.run_line()["problems"]
    assert {record["outcome"] for record in suite.records()} == {"agree"}


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_limit_is_a_number_of_seconds(suite: Suite, limit: str) -> None:
    finished = suite.verify("--time-limit", limit)
    assert finished.returncode == 2
    assert "--time-limit" in finished.stderr + finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr


@pytest.mark.parametrize(("options", "is_own"), [((), False), (("--pdb",), True)])
def test_a_debugger_finds_the_subject_in_its_own_process(
    suite: Suite, options: tuple[str, ...], is_own: bool
) -> None:
    code = """
import os, pathlib, lossproof.checks.examination as e
right = e.Examiner.examine
def noted(*args):
    pathlib.Path(os.environ["UNRULY_MARK"]).write_text(str(os.getpid()))
    return right(*args)
e.Examiner.examine = noted
"""
    run = suite.start(suite.plant(code), "--subjects", "reference", *options)
    run.communicate(timeout=120)
    assert run.returncode == 0
    assert (int(suite.mark.read_text()) == run.pid) is is_own
