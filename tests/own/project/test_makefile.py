"""The Makefile, `.ci/run` and the workflow: which Python, which torch, which environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import ROOT

# A Python of any version that notes what it is asked to do, and makes environments of itself.
PRETENDER = """\
#!{python}
import os, sys
from pathlib import Path
with open("{notes}", "a") as notes:
    print(sys.argv[0], *sys.argv[1:], file=notes)
if sys.argv[1] == "-c":
    sys.version_info = {version}
    exec(sys.argv[2])
if sys.argv[1:3] == ["-m", "venv"]:
    made = Path(sys.argv[3]) / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.write_text(Path(__file__).read_text())
    made.chmod(0o755)
"""


class Checkout:
    """A copy of what `make` and `.ci/run` need, whose Python only notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
        (folder / "reports").mkdir()

    def run(
        self, *command: str, version: tuple[int, int] = (3, 12), torch: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        python = self.folder / "python3"
        python.write_text(PRETENDER.format(python=sys.executable, notes=self.notes, version=version))
        python.chmod(0o755)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MAKE") and name != "TORCH"
        }
        environment |= {"PATH": f"{self.folder}{os.pathsep}{environment['PATH']}"}
        environment |= {} if torch is None else {"TORCH": torch}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        """What the Pythons were asked to do, but for telling their version."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [line.replace(f"{self.folder}/", "") for line in lines if " -c " not in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


class TestPython:
    def test_an_older_one_is_turned_away_in_a_sentence(self, checkout: Checkout) -> None:
        ended = checkout.run("make", "verify", version=(3, 9))
        assert ended.returncode != 0
        assert "needs Python 3.10 or newer; name one with 'make verify PYTHON=python3.12'" in ended.stdout
        assert not (checkout.folder / ".venv").exists()

    @pytest.mark.parametrize("version", [(3, 10), (3, 13)])
    def test_one_that_was_tried_passes_in_silence(self, checkout: Checkout, version: tuple[int, int]) -> None:
        ended = checkout.run("make", "verify", version=version)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout == "installing into .venv (once; torch is large)\n"

    @pytest.mark.parametrize("version", [(3, 14), (4, 0)])
    def test_a_newer_one_passes_with_a_sentence(self, checkout: Checkout, version: tuple[int, int]) -> None:
        ended = checkout.run("make", "verify", version=version)
        assert ended.returncode == 0, ended.stderr
        assert "has been tried on Python 3.10 to 3.13; this one is newer" in ended.stdout
        assert checkout.asked[-1] == ".venv/bin/python -m lossproof verify"

    def test_the_project_says_the_same_of_it_everywhere(self) -> None:
        assert 'requires-python = ">=3.10"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert "Python 3.10 or newer (3.10 to 3.13 have been tried)" in " ".join(
            (ROOT / "README.md").read_text(encoding="utf-8").split()
        )


class TestTorch:
    def test_without_a_release_the_constraints_pin_it(self, checkout: Checkout) -> None:
        checkout.run("make", "verify")
        _, install, run = checkout.asked
        assert "--constraint constraints.txt" in install
        assert run == ".venv/bin/python -m lossproof verify"

    @pytest.mark.parametrize(
        ("verb", "module"),
        [("verify", "lossproof verify"), ("faults", "proofs.faults"), ("test", "pytest")],
    )
    def test_a_release_has_an_environment_of_its_own(
        self, checkout: Checkout, verb: str, module: str
    ) -> None:
        ended = checkout.run("make", verb, "TORCH=2.15.0")
        assert ended.returncode == 0, ended.stderr
        _, install, run = checkout.asked
        assert install.startswith(".venv-2.15.0/bin/python -m pip install")
        assert "torch==2.15.0" in install
        assert "constraints.txt" not in install
        assert run.startswith(f".venv-2.15.0/bin/python -m {module}")
        assert not (checkout.folder / ".venv").exists()

    def test_it_is_kept(self, checkout: Checkout) -> None:
        checkout.run("make", "verify", "TORCH=2.15.0")
        checkout.run("make", "verify")
        before = len(checkout.asked)
        checkout.run("make", "verify", "TORCH=2.15.0")
        assert checkout.asked[before:] == [".venv-2.15.0/bin/python -m lossproof verify"]

    def test_clean_removes_all_environments_and_git_knows_none(self, checkout: Checkout) -> None:
        checkout.run("make", "verify")
        checkout.run("make", "verify", "TORCH=2.15.0")
        assert len(list(checkout.folder.glob(".venv*"))) == 2
        assert checkout.run("make", "clean").returncode == 0
        assert list(checkout.folder.glob(".venv*")) == []
        ignored = subprocess.run(
            ["git", "check-ignore", ".venv/x", ".venv-2.15.0/x"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ignored.stdout.splitlines() == [".venv/x", ".venv-2.15.0/x"] or "not a git" in ignored.stderr

    def test_a_library_has_an_environment_of_its_own_with_its_extra(self, checkout: Checkout) -> None:
        for subject, extra in (("optax", "optax"), ("onnx-reference", "onnx")):
            before = len(checkout.asked)
            ended = checkout.run("make", "implementation", f"SUBJECT={subject}", "CASES=mse-*")
            assert ended.returncode == 0, ended.stderr
            _, install, run = checkout.asked[before:]
            python = f".venv-{subject}/bin/python"
            assert install.startswith(f"{python} -m pip install")
            assert install.endswith(f"--editable .[{extra}]")
            assert run == f"{python} -m lossproof verify --subjects {subject} --cases mse-*"
        assert not (checkout.folder / ".venv").exists()

    def test_a_library_must_be_named(self, checkout: Checkout) -> None:
        ended = checkout.run("make", "implementation")
        assert ended.returncode != 0
        assert "name a library, such as 'make implementation SUBJECT=optax'" in ended.stdout
        assert checkout.asked == []

    def test_history_is_told_the_releases(self, checkout: Checkout) -> None:
        checkout.run("make", "history", "VERSIONS=2.6.0 2.7.1")
        assert checkout.asked[-1] == ".venv/bin/python -m proofs.releases 2.6.0 2.7.1"


class TestContinuousIntegration:
    def test_it_tests_verifies_plants_faults_and_checks_style(self, checkout: Checkout) -> None:
        ended = checkout.run(".ci/run")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        modules = [line.split()[2] for line in checkout.asked if line.startswith(".venv/bin/python -m")]
        wanted = ["pytest", "lossproof", "proofs.faults", "ruff", "ruff", "mypy"]
        assert [name for name in modules if name != "pip"][: len(wanted)] == wanted
        assert checkout.asked[-1] == ".venv/bin/python -"

    def test_another_release_runs_the_suite_and_the_faults(self, checkout: Checkout) -> None:
        ended = checkout.run(".ci/run", torch="2.6.0")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        runs = [
            line for line in checkout.asked if "venv" not in line.split()[2:3] and "pip" not in line.split()
        ]
        environment = ".venv-2.6.0/bin/python"
        assert runs == [
            f"{environment} -m lossproof verify",
            f"{environment} -m proofs.faults",
            f"{environment} -",
        ]

    def test_it_begins_with_a_clean_environment(self, checkout: Checkout) -> None:
        old = checkout.folder / ".venv-2.6.0" / "old"
        old.mkdir(parents=True)
        checkout.run(".ci/run", torch="2.6.0")
        assert not old.exists()

    def test_the_workflow_runs_the_same_on_the_oldest_the_pinned_and_the_newest(self) -> None:
        text = (ROOT / ".github" / "workflows" / "verify.yml").read_text(encoding="utf-8")
        job: dict[str, Any] = yaml.safe_load(text)["jobs"]["verify"]
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert runs == [".ci/run", 'cat reports/summary.md >> "$GITHUB_STEP_SUMMARY"']
        assert job["env"] == {"TORCH": "${{ matrix.torch }}"}
        oldest, pinned, newest = job["strategy"]["matrix"]["torch"]
        assert f'"torch>={oldest.removesuffix(".0")}"' in (ROOT / "pyproject.toml").read_text(
            encoding="utf-8"
        )
        assert pinned == ""
        assert newest
