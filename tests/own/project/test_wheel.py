"""The wheel, built from the checkout or from the source archive, holds the cases and works in any folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from repository import ROOT
from suite_runs import REPORTS

from lossproof.corpus.files import default_corpus
from lossproof.reporting.jsonl import read_results


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with nothing but what an archive of this checkout holds."""
    folder = tmp_path_factory.mktemp(request.param)
    checkout = folder / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "reports")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    if request.param == "sdist":
        code = "from setuptools.build_meta import build_sdist; build_sdist('.')"
        _run([sys.executable, "-c", code], checkout)
        (archive,) = checkout.glob("*.tar.gz")
        shutil.unpack_archive(archive, folder / "unpacked", filter="data")
        shutil.rmtree(checkout)
        (unpacked,) = (folder / "unpacked").iterdir()
        unpacked.rename(checkout)
    _run([sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "."], checkout)
    (wheel,) = checkout.glob("*.whl")
    packages = folder / "packages"
    zipfile.ZipFile(wheel).extractall(packages)
    shutil.rmtree(checkout)
    return packages


def _run(command: list[str], folder: Path, packages: Path | None = None) -> str:
    environment = os.environ | ({} if packages is None else {"PYTHONPATH": str(packages)})
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_it_holds_the_cases_and_nothing_but_the_package(installed: Path) -> None:
    assert {path.name.partition("-")[0] for path in installed.iterdir()} == {"lossproof"}
    held = {path.relative_to(installed / "lossproof" / "cases") for path in _files(installed, "cases")}
    assert held == {path.relative_to(ROOT / "cases") for path in (ROOT / "cases").rglob("*.*")}
    assert not [path for path in _files(installed, "") if path.name.startswith("test_")]


def _files(installed: Path, folder: str) -> list[Path]:
    return list((installed / "lossproof" / folder).rglob("*.*"))


def test_it_is_typed_and_needs_torch_only_if_that_is_asked_for(installed: Path, tmp_path: Path) -> None:
    assert (installed / "lossproof" / "py.typed").exists()
    (metadata,) = installed.glob("*.dist-info/METADATA")
    required = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist: torch")]
    assert required
    assert all("extra == " in line for line in required)
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    (tmp_path / "losses.py").write_text(
        "def mse(input, target, reduction):\n"
        "    losses = (input - target) ** 2\n"
        "    return losses if reduction == 'none' else getattr(losses, reduction)()\n"
    )
    door = ["--subject", "losses.py:mse", "--as", "MSELoss", "--arrays", "numpy", "--cases", "mse-four"]
    without_torch = os.pathsep.join([str(tmp_path), str(installed)])
    said = _run([sys.executable, "-m", "lossproof", "verify", *door], tmp_path, Path(without_torch))
    assert "Everything conforms" in said
    assert read_results(tmp_path / "reports" / "results.jsonl")[0]["tested"] == ["numpy"]
    quick = ["verify", "--subjects", "reference", "--quick", "--cases", "mse-*", "-n", "0"]
    said = _run([sys.executable, "-m", "lossproof", *quick], tmp_path, installed)
    assert "Only a part of the suite ran: cases mse-*; the quick cases." in said


def test_the_verbs_read_its_cases(installed: Path, tmp_path: Path) -> None:
    code = "import lossproof; print(lossproof.__file__)"
    assert str(installed) in _run([sys.executable, "-c", code], tmp_path, installed)
    lossproof = [sys.executable, "-m", "lossproof"]
    assert "cases/losses/mse.yaml" in _run([*lossproof, "list", "mse-four"], tmp_path, installed)
    assert "18.5 / 4 = 4.625" in _run([*lossproof, "explain", "mse-four"], tmp_path, installed)
    numbers = ["--input", "[1, 2]", "--target", "[0, 2]"]
    assert "agrees" in _run([*lossproof, "run", "MSELoss", *numbers], tmp_path, installed)
    named = ["--id", "mse-mine", "--title", "mine", "--file", "mine.yaml"]
    assert "1 case in all" in _run([*lossproof, "new", "MSELoss", *named, *numbers], tmp_path, installed)
    assert "no complaint" in _run([*lossproof, "check", "mine.yaml"], tmp_path, installed)


def test_a_message_names_a_guide_that_is_there(installed: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "lossproof", "verify", "--command", "false"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    [page] = re.findall(r"; (\S+) says what a runner answers", ended.stderr)
    assert page == str(installed / "lossproof" / "docs" / "any-language.md")
    assert Path(page).read_text() == (ROOT / "docs" / "any-language.md").read_text()
    assert {path.suffix for path in _files(installed, "docs")} == {".md"}


def test_verify_writes_its_reports_where_it_is_asked(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise AssertionError('this is for other tests')\n")
    asked = ["verify", "--cases", "mse-four", "--dtypes", "float32"]
    said = _run([sys.executable, "-m", "lossproof", *asked], tmp_path, installed)
    assert "is on record" in said, "the history is in the wheel as well"
    assert {path.name for path in (tmp_path / "reports").iterdir()} == REPORTS


def test_in_a_checkout_its_own_cases_are_meant(tmp_path: Path) -> None:
    assert default_corpus(tmp_path) == ROOT / "cases"
    (tmp_path / "cases").mkdir()
    assert default_corpus(tmp_path) == ROOT / "cases", "any folder may be called so"
    (tmp_path / "lossproof").mkdir()
    assert default_corpus(tmp_path) == tmp_path / "cases"
