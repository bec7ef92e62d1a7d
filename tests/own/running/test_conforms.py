"""``lossproof.conforms``: the cases of a loss as tests of somebody else's project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from their_projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


TESTS = """\
import pytest
from kernels import loss
from pathlib import Path

import lossproof

CORPUS = Path("corpus")


@pytest.fixture
def factor():
    return 1


@lossproof.conforms("CrossEntropyLoss", dtypes=["float32"], corpus=CORPUS)
def test_by_attributes(call, factor):
    return factor * loss(call.input, call.target, call.reduction, call.ignore_index)


@lossproof.conforms("cross_entropy", corpus=CORPUS, dtypes=["float32"], lacks=["ignore_index"])
def test_by_call(call):
    return call(loss)


NUMPY = {"as_": "numpy", "fixed": {"reduction": "none"}}


@lossproof.conforms("cross_entropy", corpus=CORPUS, dtypes=["float32"], **NUMPY)
def test_numpy(call):
    import numpy as np

    exponentials = np.exp(call.input - call.input.max(1, keepdims=True))
    shares = exponentials / exponentials.sum(1, keepdims=True)
    return -np.log(np.take_along_axis(shares, call.target[:, None], 1)[:, 0])
"""


def test_a_test_of_ones_own_is_run_for_each_case(project: Project) -> None:
    (project.folder / "test_kernels.py").write_text(TESTS)
    finished = project.run("pytest", "-q", "-rA", "-p", "no:cacheprovider", "test_kernels.py")
    found = re.findall(r"^(PASSED|FAILED) test_kernels.py::(\S+)", finished.stdout, re.M)
    outcomes = {test: outcome for outcome, test in found}
    assert outcomes == {
        "test_by_attributes[ce-small-float32]": "PASSED",
        "test_by_attributes[ce-offset-float32]": "FAILED",
        "test_by_attributes[ce-beyond-float32]": "FAILED",
        "test_by_attributes[ce-after-float32]": "PASSED",
        "test_by_call[ce-small-float32]": "PASSED",
        "test_by_call[ce-offset-float32]": "FAILED",
        "test_by_call[ce-beyond-float32]": "FAILED",
        "test_by_call[ce-after-float32]": "PASSED",
        "test_numpy[ce-small-float32]": "PASSED",
        "test_numpy[ce-offset-float32]": "PASSED",
        "test_numpy[ce-beyond-float32]": "FAILED",
        "test_numpy[ce-after-float32]": "PASSED",
    }, finished.stdout
    assert "does not read 'weight'" in finished.stdout
    assert "has no parameter" not in finished.stdout
    failure = finished.stdout.partition("_ test_by_call[ce-offset-float32] _")[2]
    snippet = failure.partition("This shows the first of them:")[2].partition("\n____")[0]
    (project.folder / "shown.py").write_text(snippet)
    assert "AssertionError" in project.run("shown").stderr


def test_a_test_of_ones_own_knows_what_the_project_says(project: Project) -> None:
    (project.folder / "test_kernels.py").write_text(
        "import lossproof\nfrom kernels import loss\nfrom pathlib import Path\n\n\n"
        '@lossproof.conforms("CrossEntropyLoss", dtypes=["float32"], corpus=Path("corpus"), '
        'project="lossproof.toml")\n'
        "def test_it(call):\n    return call(loss)\n"
    )
    run = ("pytest", "-q", "-p", "no:cacheprovider", "test_kernels.py")
    (project.folder / "lossproof.toml").write_text(
        '[[differs]]\ncases = "ce-[ob]*"\nreason = "so we do it"\n'
    )
    finished = project.run(*run)
    assert "4 passed" in finished.stdout, finished.stdout
    (project.folder / "lossproof.toml").write_text(
        '[[differs]]\ncases = "ce-[ob]*"\nreason = "so we do it"\n\n'
        '[[defects]]\ncase = "ce-small"\nquantities = ["value"]\nobserved = [3]\nwhy = "mended"\n'
    )
    finished = project.run(*run)
    assert "1 failed, 3 passed" in finished.stdout, finished.stdout
    assert "lossproof.toml:5: [ce-small]" in finished.stdout
    assert "the defect is gone" in finished.stdout
    (project.folder / "lossproof.toml").write_text('[[differs]]\ncases = "no-*"\n')
    finished = project.run(*run)
    assert "lossproof.toml:2: no case matches 'no-*'" in finished.stdout, finished.stdout
    assert "1 error" in finished.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('"L2Loss"', "there is no loss 'L2Loss'; did you mean 'L1Loss'?"),
        ('"L1Loss", dtypes=["float23"]', "there is no dtype 'float23'; did you mean 'float32'?"),
        ('"L1Loss", as_="jaxx"', "there is no array library 'jaxx'; did you mean 'jax'?"),
        ('"L1Loss", lacks=["emty"]', "there is no feature 'emty'; did you mean 'empty'?"),
        ("lambda: 0", "conforms needs a loss: write @lossproof.conforms('CrossEntropyLoss')"),
        ('"L1Loss"', "test_it takes no 'call'; let it take one, and return its result"),
    ],
)
def test_a_mistake_in_the_decorator_is_said_when_the_test_is_collected(
    project: Project, options: str, said: str
) -> None:
    argument = "" if "takes no" in said else "call"
    text = f"import lossproof\n@lossproof.conforms({options})\ndef test_it({argument}): ...\n"
    (project.folder / "test_kernels.py").write_text(text)
    assert said in project.run("pytest", "-q", "-p", "no:cacheprovider", "test_kernels.py").stdout


def test_a_pick_of_ones_own_at_a_kink_fails_no_test(project: Project) -> None:
    (project.folder / "corpus" / "l1.yaml").write_text(
        "loss: L1Loss\ncases:\n  - {id: l1-kink, title: a difference of 0, args: {input: 1, target: 1}}\n"
    )
    (project.folder / "test_kernels.py").write_text(
        "import lossproof, torch\nfrom pathlib import Path\n\n\n"
        '@lossproof.conforms("L1Loss", dtypes=["float32"], corpus=Path("corpus"))\n'
        "def test_it(call):\n"
        "    difference = call.input - call.target\n"
        "    losses = torch.where(difference < 0, -difference, difference)\n"
        '    return losses if call.reduction == "none" else getattr(losses, call.reduction)()\n'
    )
    finished = project.run("pytest", "-q", "-p", "no:cacheprovider", "test_kernels.py")
    assert "1 passed" in finished.stdout, finished.stdout


def test_a_project_is_read_from_beside_the_test(project: Project) -> None:
    folder = project.folder / "tests"
    folder.mkdir()
    (folder / "test_it.py").write_text(
        "import lossproof\nfrom kernels import loss\nfrom pathlib import Path\n\n\n"
        '@lossproof.conforms("cross_entropy", dtypes=["float32"], corpus=Path("corpus"), '
        'project="../lossproof.toml")\n'
        "def test_it(call):\n    return call(loss)\n"
    )
    (project.folder / "lossproof.toml").write_text(
        '[[differs]]\ncases = "ce-[ob]*"\nreason = "so we do it"\n'
    )
    finished = project.run("pytest", "-q", "-p", "no:cacheprovider", "tests/test_it.py")
    assert "4 passed" in finished.stdout, finished.stdout
