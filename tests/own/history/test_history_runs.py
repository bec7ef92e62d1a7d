"""Runs on releases that are installed for them: each in its turn, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from history_specimens import DISAGREES, VALUE, corpus, reports, run_of
from page_reader import page_data
from repository import ROOT
from suite_runs import Suite

# Stands for uv, and for the Python of each environment: it notes what it is asked and which environments are
# there, and a run of the suite writes what was laid out for its release.
PRETENDER = """\
#!{python}
import json, os, shutil, sys, time
from pathlib import Path
made = Path("{made}")
there = sorted(path.name.split("-")[2] for path in Path(os.environ["TMPDIR"]).glob("lossproof-torch-*"))
asked = dict(asked=sys.argv[1:], there=there, path=os.environ.get("PYTHONPATH"), pid=os.getpid())
with (made / "notes").open("a") as notes:
    print(json.dumps(asked), file=notes)
if sys.argv[1] == "venv":
    python = Path(sys.argv[-1]) / "bin" / "python"
    python.parent.mkdir(parents=True)
    shutil.copy(__file__, python)
elif sys.argv[1] == "pip":
    sys.exit("torch==9.9.9" in sys.argv)
else:
    if (made / "slow").exists():
        time.sleep(60)
    folder = Path(sys.argv[sys.argv.index("--reports") + 1])
    run = made / there[0]
    if run.exists():
        shutil.copytree(run, folder)
    sys.exit(int((made / "status").read_text()))
"""


class Workshop:
    """A folder in which releases are installed, run and removed by pretenders."""

    def __init__(self, folder: Path) -> None:
        self.cases = corpus(folder)
        self.made = folder / "made"
        self.temporary = folder / "temporary"
        for name in (self.made, self.temporary):
            name.mkdir()
        (self.made / "status").write_text("0")
        uv = self.made / "uv"
        uv.write_text(PRETENDER.format(python=sys.executable, made=self.made))
        uv.chmod(0o755)

    def start(self, *releases: str) -> subprocess.Popen[str]:
        path = f"{self.made}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "proofs.releases",
                *releases,
                "--corpus",
                str(self.cases),
                "--workers",
                "3",
            ],
            cwd=ROOT,
            env=os.environ | {"PATH": path, "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Workers of pytest-xdist ignore Ctrl-C, and what they start would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *releases: str) -> tuple[int, str, str]:
        process = self.start(*releases)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    @property
    def notes(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.made / "notes").read_text().splitlines()]

    @property
    def on_record(self) -> list[str]:
        return sorted(path.name for path in (self.cases / "history").glob("*.json"))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path)
    for release in ("2.6.0", "2.7.1"):
        reports(workshop.made / release, run_of(release), [VALUE])
    return workshop


def test_each_release_is_installed_run_and_removed_before_the_next(workshop: Workshop) -> None:
    status, out, err = workshop.run("2.7.1", "2.6.0")
    assert status == 0, out + err
    assert workshop.on_record == ["torch-2.6.0.json", "torch-2.7.1.json"]
    assert "| | 2.6 | 2.7 |" in (workshop.cases / "history" / "README.md").read_text(encoding="utf-8")
    assert [one["there"] for one in workshop.notes] == [["2.7.1"]] * 3 + [["2.6.0"]] * 3
    assert list(workshop.temporary.iterdir()) == []


def test_the_release_and_this_checkout_are_installed_and_the_whole_suite_is_run(workshop: Workshop) -> None:
    workshop.run("2.6.0")
    _, install, run = (note["asked"] for note in workshop.notes)
    assert isinstance(install, list)
    assert install[-3:] == ["torch==2.6.0", "--editable", str(ROOT)]
    assert isinstance(run, list)
    assert run[:5] == ["-m", "lossproof", "verify", "--corpus", str(workshop.cases)]
    assert run[run.index("--numprocesses") + 1] == "3"
    # What leads this Python to its packages would lead that one astray.
    assert {note["path"] for note in workshop.notes} == {None}


def test_a_run_whose_checks_fail_goes_on_record_and_is_told(workshop: Workshop) -> None:
    reports(workshop.made / "2.6.0", run_of("2.6.0"), [VALUE, DISAGREES])
    (workshop.made / "status").write_text("1")
    status, out, _ = workshop.run("2.6.0")
    assert status == 1
    assert workshop.on_record == ["torch-2.6.0.json"]
    assert "torch 2.6.0: 1 check of 1 case fails;" in out


def test_a_run_that_fails_otherwise_is_told(workshop: Workshop) -> None:
    (workshop.made / "status").write_text("1")
    status, out, _ = workshop.run("2.6.0")
    assert status == 1
    assert "torch 2.6.0: the run ended with status 1, though none of its checks fails" in out


def test_what_cannot_be_installed_or_run_does_not_keep_the_others_from_it(workshop: Workshop) -> None:
    status, out, err = workshop.run("9.9.9", "2.8.0", "2.6.0")
    assert status == 1
    assert "torch 9.9.9 could not be installed for Python 3." in out
    assert "results.jsonl cannot be read" in out  # of 2.8.0, whose run wrote none
    assert workshop.on_record == ["torch-2.6.0.json"]
    assert list(workshop.temporary.iterdir()) == []
    assert "Traceback" not in out + err


def test_without_uv_pip_installs(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    (workshop.made / "uv").unlink()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    status, out, err = workshop.run("2.6.0")
    assert status == 1
    assert "pip" in err  # which finds nothing to install where it may ask nobody
    assert "torch 2.6.0 could not be installed for Python 3." in out
    assert list(workshop.temporary.iterdir()) == []


def test_what_is_no_release_is_told_before_anything_runs(workshop: Workshop) -> None:
    status, _, err = workshop.run("2.6.0", "newest")
    assert status == 2
    assert "'newest' is no release; name one like 2.6.0" in err
    assert not (workshop.made / "notes").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(workshop: Workshop, number: signal.Signals) -> None:
    (workshop.made / "slow").touch()
    process = workshop.start("2.6.0", "2.7.1")
    end = time.monotonic() + 30
    while not (workshop.made / "notes").exists() or len(workshop.notes) < 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert list(workshop.temporary.iterdir()) == []
    running = workshop.notes[-1]["pid"]
    assert isinstance(running, int)
    with pytest.raises(ProcessLookupError):
        os.kill(running, 0)
    assert len(workshop.notes) == 3  # no other release was begun
    assert workshop.on_record == []


def test_verify_shows_what_is_on_record(tmp_path: Path, workshop: Workshop) -> None:
    workshop.run("2.6.0")
    folder = tmp_path / "suite"
    folder.mkdir()
    suite = Suite(folder)
    (workshop.cases / "history").rename(suite.cases / "history")
    ended = suite.verify("--dtypes", "float32")
    assert ended.returncode == 0, ended.stdout
    assert page_data(suite.reports / "report.html")["history"]["releases"] == ["2.6"]
    (suite.cases / "history" / "changes.yaml").write_text("what: nothing\n")
    ended = suite.verify("--dtypes", "float32")
    assert ended.returncode == 2
    assert "changes.yaml" in ended.stdout + ended.stderr
