"""A run that is ended, killed, short of disk or not alone leaves whole reports, or none, and no process."""

from __future__ import annotations

import signal
import time
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


def is_gone(process: int, seconds: float = 10) -> bool:
    """Whether a process ends within some time; what has ended may still wait to be noticed by its parent."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_run_that_is_killed_leaves_no_process_when_the_subject_returns(suite: Suite) -> None:
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
    [case] = {str(record["case"]) for record in suite.records()}
    names = {str(one.get("name")) for one in ElementTree.parse(suite.reports / "junit.xml").iter("testcase")}
    assert all(case in name for name in names)
    assert f'"{case}"' in suite.page()
    assert {path.name for path in suite.reports.iterdir()} == REPORTS
