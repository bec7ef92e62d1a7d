"""A run that is ended, killed, short of disk or not alone leaves whole reports, or none, and no process."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from suite_runs import FIRST_AND_LAST, REPORTS, Suite


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
    suite: Suite, number: signal.Signals, status: int, options: tuple[str, ...]
) -> None:
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


# Sends the run a signal when it makes its page, or when its first new file takes the place of the old one.
_AT_THE_PAGE = """
import os, lossproof.reporting.writing as w
right = w.report_html
def ended(*given):
    os.kill(os.getpid(), {number})
    return right(*given)
w.report_html = ended
"""
_AT_THE_FIRST_FILE = """
import os
right, run = os.replace, os.getpid()
def ended(source, target):
    right(source, target)
    if target.name == "report.html":
        os.kill(run, {number})
os.replace = ended
"""


@pytest.mark.parametrize("code", [_AT_THE_PAGE, _AT_THE_FIRST_FILE])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_ended_while_it_writes_reports_everything(
    suite: Suite, code: str, number: signal.Signals, status: int
) -> None:
    finished = suite.verify(suite.plant(code.format(number=int(number))), "--subjects", "reference")
    assert finished.returncode == status, finished.stdout + finished.stderr
    assert f"interrupted: {number.name} came while the reports were written" in finished.stdout
    assert suite.run_line()["complete"] is True
    assert {path.name for path in suite.reports.iterdir()} == REPORTS
    assert "Traceback" not in finished.stdout + finished.stderr


def test_a_run_that_is_killed_while_it_writes_leaves_the_reports_of_one_run(suite: Suite) -> None:
    assert suite.verify("--subjects", "reference", "--cases", "weighted-mean").returncode == 0
    planted = suite.plant(_AT_THE_FIRST_FILE.format(number=int(signal.SIGKILL)))
    finished = suite.verify(planted, "--subjects", "reference", "--cases", "out-of-range")
    assert finished.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while {path.name for path in suite.reports.iterdir()} != REPORTS and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {path.name for path in suite.reports.iterdir()} == REPORTS
    assert cases_of(suite) == {"out-of-range"}


def cases_of(suite: Suite) -> set[str]:
    """The cases that the reports are about, which must be the same in all of them."""
    cases = {str(record["case"]) for record in suite.records()}
    tests = ElementTree.parse(suite.reports / "junit.xml").iter("testcase")
    assert all(any(case in str(one.get("name")) for case in cases) for one in tests)
    assert all(f'"{case}"' in suite.page() for case in cases)
    return cases


_AT_THE_BEGIN = """
import os, lossproof.running.plugin as p
right = p.load_corpus
def ended(*given):
    os.kill(os.getpid(), 15)
    return right(*given)
p.load_corpus = ended
"""
_AT_THE_END = "import os\ndef pytest_unconfigure():\n    os.kill(os.getpid(), 15)\n"


@pytest.mark.parametrize("code", [_AT_THE_BEGIN, _AT_THE_END])
def test_a_run_that_is_terminated_at_its_begin_or_end_has_the_same_status(suite: Suite, code: str) -> None:
    finished = suite.verify(suite.plant(code), "--subjects", "reference", "--cases", "out-of-range")
    assert finished.returncode == 143
    assert "ended by SIGTERM" in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr


def test_a_run_that_is_interrupted_before_it_ends_its_process_ends(suite: Suite) -> None:
    # Python waits for what it has started, which waits for its orders.
    code = """
import os, lossproof.running.supervision as s
right = s.Supervisor.close
def ended(self):
    s.Supervisor.close = right
    raise KeyboardInterrupt
s.Supervisor.close = ended
"""
    finished = suite.verify(suite.plant(code), "--subjects", "reference", "--cases", "out-of-range")
    assert finished.returncode == 130


@pytest.mark.parametrize("options", [(), ("--numprocesses", "1")])
def test_a_run_that_is_killed_leaves_no_process_although_a_call_hangs(
    suite: Suite, options: Sequence[str]
) -> None:
    (suite.cases / "losses.yaml").write_text(FIRST_AND_LAST)
    suite.offer({"hangs": "unruly_subjects:hangs"})
    run = suite.start("--subjects", "hangs", *options)
    while not suite.mark.exists() or not suite.mark.read_text():
        time.sleep(0.05)
    run.kill()
    run.communicate(timeout=60)
    assert is_gone(int(suite.mark.read_text()))
    assert not suite.reports.exists()


@pytest.mark.parametrize(
    ("subject", "options", "status"),
    [
        ("leaves-a-daemon", (), 0),
        ("leaves-a-daemon", ("--numprocesses", "1"), 0),
        ("leaves-a-daemon-and-ends", (), 1),
        ("leaves-a-daemon-and-hangs", ("--time-limit", "3"), 1),
    ],
)
def test_a_process_that_left_its_session_ends_with_the_run(
    suite: Suite, subject: str, options: Sequence[str], status: int
) -> None:
    (suite.cases / "losses.yaml").write_text(FIRST_AND_LAST)
    suite.offer({subject: f"unruly_subjects:{subject.replace('-', '_')}"})
    finished = suite.verify("--subjects", subject, *options)
    assert finished.returncode == status, finished.stdout
    assert is_gone(int(suite.mark.read_text()), seconds=1)


def is_gone(process: int, seconds: float = 10) -> bool:
    """Whether a process ends within some time; what has ended may still wait to be noticed by its parent."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_full_disk_is_a_sentence_and_leaves_the_old_reports(suite: Suite) -> None:
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


def test_two_runs_at_once_leave_the_reports_of_one_of_them(suite: Suite) -> None:
    runs = [suite.start("--cases", name) for name in ("weighted-mean", "out-of-range")]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert len(cases_of(suite)) == 1
    assert {path.name for path in suite.reports.iterdir()} == REPORTS
