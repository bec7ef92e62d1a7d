"""The harness survives every subject, names what it did, and loses nothing else."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from suite_runs import REPORTS, Suite
from unruly_subjects import MISBEHAVIOURS

from lossproof.corpus.reading import load_corpus
from lossproof.running.selection import select
from lossproof.running.session import ConformanceSession
from lossproof.running.supervision import Supervisor

FIRST_AND_LAST = """\
cases:
  - id: nll-first
    title: where each subject misbehaves
    loss: NLLLoss
    params: {weight: [1, 2]}
    args: {input: [[-1, -2], [-1, -3]], target: [0, 1]}
    dtypes: [float64]
  - id: ce-last
    title: where each subject is right
    loss: CrossEntropyLoss
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    dtypes: [float64]
"""

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
    "hangs": ("error", "no answer within 3 seconds"),
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
}


class Aftermath:
    """What a run of all unruly subjects left behind."""

    def __init__(self, folder: Path) -> None:
        suite = Suite(folder)
        (suite.cases / "losses.yaml").write_text(FIRST_AND_LAST)
        suite.offer({name: f"unruly_subjects:{name.replace('-', '_')}" for name in MISBEHAVIOURS})
        subjects = ",".join(["reference", *MISBEHAVIOURS, "torch.nn"])
        self.finished = suite.verify("--subjects", subjects, "--time-limit", "3", "-vv")
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
        ("no_such_module:subject", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("unruly_subjects:no_such_subject", "AttributeError"),
        ("unruly_subjects:Shy", "OSError: I would rather not"),
        ("unruly_subjects:MISBEHAVIOURS", "TypeError: 'dict' object is not callable"),
    ],
)
def test_a_subject_that_cannot_be_made_is_a_sentence(tmp_path: Path, target: str, words: str) -> None:
    suite = Suite(tmp_path)
    suite.offer({"mine": target})
    finished = suite.verify("--subjects", "mine")
    assert finished.returncode == 2
    said = finished.stdout + finished.stderr
    assert "the subject 'mine' cannot be used (" in said
    assert words in said
    assert "Traceback" not in said


def test_a_process_may_be_started_anew_instead_of_forked(tmp_path: Path) -> None:
    (tmp_path / "losses.yaml").write_text(FIRST_AND_LAST)
    corpus = load_corpus(tmp_path)
    selection = select(corpus, "torch.nn", "float64", "", "cpu")
    session = ConformanceSession(corpus, selection)
    supervisor = Supervisor(session, 120, method="spawn")
    try:
        answers = [supervisor.examine(check) for check in selection.checks]
    finally:
        supervisor.close()
    assert answers == [session.examine(check) for check in selection.checks]


@pytest.mark.parametrize(
    ("number", "status", "options"),
    [
        (signal.SIGINT, 130, ()),
        (signal.SIGTERM, 143, ()),
        (signal.SIGINT, 130, ("--numprocesses", "1")),
        (signal.SIGTERM, 143, ("--numprocesses", "1")),
    ],
)
def test_a_run_that_is_ended_reports_what_it_found_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals, status: int, options: tuple[str, ...]
) -> None:
    suite = Suite(tmp_path)
    lines = FIRST_AND_LAST.splitlines()
    (suite.cases / "losses.yaml").write_text("\n".join([lines[0], *lines[7:], *lines[1:7]]))
    suite.offer({"hangs": "unruly_subjects:hangs"})
    run = suite.start("--subjects", "hangs", *options)
    while not suite.mark.exists() or not suite.mark.read_text():
        time.sleep(0.05)
    hanging = int(suite.mark.read_text())
    run.send_signal(number)
    said = run.communicate(timeout=60)[0]
    assert run.returncode == status, said
    assert suite.run_line()["complete"] is False
    assert {record["case"] for record in suite.records()} == {"ce-last"}
    assert "Traceback" not in said
    assert is_gone(hanging)


def is_gone(process: int, seconds: float = 10) -> bool:
    """Whether a process ends within some time; what has ended may still wait to be noticed by its parent."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_run_that_is_killed_leaves_no_process_when_the_subject_returns(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    code = "import os, time, lossproof.checks.examination as e\nright = e.Examiner.examine\n" + (
        "def slow(*args):\n    open(os.environ['UNRULY_MARK'], 'w').write(str(os.getpid()))\n"
        "    time.sleep(1)\n    return right(*args)\ne.Examiner.examine = slow\n"
    )
    run = suite.start(suite.plant(code), "--subjects", "reference")
    while not suite.mark.exists() or not suite.mark.read_text():
        time.sleep(0.05)
    run.kill()
    run.communicate(timeout=60)
    assert is_gone(int(suite.mark.read_text()))
    assert not suite.reports.exists()


def test_a_full_disk_is_a_sentence_and_leaves_the_old_reports(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    assert suite.verify("--subjects", "reference").returncode == 0
    before = {path.name: path.read_bytes() for path in suite.reports.iterdir()}
    # No disk of this machine is full, but a process may be held to files of 40 kB.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
    finished = suite.verify(suite.plant(limit))
    assert finished.returncode == 1
    assert "no reports: The reports could not be written to" in finished.stdout
    assert "File too large" in finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr
    assert {path.name: path.read_bytes() for path in suite.reports.iterdir()} == before


def test_two_runs_at_once_leave_the_reports_of_one_of_them(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    runs = [suite.start("--cases", name) for name in ("weighted-mean", "out-of-range")]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    [case] = {str(record["case"]) for record in suite.records()}
    names = {str(one.get("name")) for one in ElementTree.parse(suite.reports / "junit.xml").iter("testcase")}
    assert all(case in name for name in names)
    assert f'"{case}"' in suite.page()
    assert {path.name for path in suite.reports.iterdir()} == REPORTS


def test_results_are_the_same_bytes_in_every_run_with_and_without_workers(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    (suite.cases / "more.yaml").write_text(FIRST_AND_LAST)
    lines = []
    for options in ((), (), ("--numprocesses", "2")):
        assert suite.verify(*options).returncode == 0
        lines.append((suite.reports / "results.jsonl").read_bytes().splitlines(keepends=True))
    assert lines[0][1:] == lines[1][1:] == lines[2][1:]


def test_a_judge_that_calls_everything_right_fails_the_run(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    code = """
import dataclasses, lossproof.checks.values as e
right = e.compare
e.compare = lambda *args: dataclasses.replace(right(*args), agrees=True)
"""
    finished = suite.verify(suite.plant(code))
    assert finished.returncode == 1
    assert "planted on purpose was not caught" in finished.stdout
    assert suite.run_line()["problems"]
    assert {record["outcome"] for record in suite.records()} == {"agree"}


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_limit_is_a_number_of_seconds(tmp_path: Path, limit: str) -> None:
    finished = Suite(tmp_path).verify("--time-limit", limit)
    assert finished.returncode == 2
    assert "--time-limit" in finished.stderr + finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr


@pytest.mark.parametrize(("options", "is_own"), [((), False), (("--pdb",), True)])
def test_a_debugger_finds_the_subject_in_its_own_process(
    tmp_path: Path, options: tuple[str, ...], is_own: bool
) -> None:
    suite = Suite(tmp_path)
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
