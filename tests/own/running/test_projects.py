"""A project of somebody else's: a function on the command line, ``init``, ``lossproof.toml``, and pytest."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lossproof.command_line.initializing import workflow_text
from lossproof.records.record import Record
from lossproof.reporting.jsonl import read_results

KERNELS = """\
import torch


def loss(logits, labels, reduction="mean", ignore_index=-100):
    log_probabilities = logits - torch.logsumexp(logits, 1, keepdim=True)
    kept = labels != ignore_index
    picked = -log_probabilities.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    picked = torch.where(kept, picked, torch.zeros_like(picked))
    if reduction == "none":
        return picked
    return picked.sum() if reduction == "sum" else picked.sum() / kept.sum()
"""

CASES = """\
loss: CrossEntropyLoss
cases:
  - id: ce-small
    title: two rows
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    dtypes: [float64, float32]
  - id: ce-weighted
    title: two rows with weights
    params: {weight: [1, 2]}
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
    dtypes: [float64, float32]
  - id: ce-offset
    title: a common offset
    args: {input: [[1025, 1026, 1027], [-1024, -1026, -1025]], target: [0, 2]}
    dtypes: [float32]
  - id: ce-beyond
    title: an index out of range
    args: {input: [[1, 2], [1, 3]], target: [0, -1]}
    dtypes: [float32]
    raises: {when: call, kind: index, torch: {type: IndexError, match: "out of bounds"}}
  - id: ce-after
    title: a case after that
    args: {input: [[1, 2], [1, 3]], target: [1, 1]}
    dtypes: [float32]
"""

SUBJECT = ("--subject", "kernels.py:loss", "--as", "cross_entropy")


class Project:
    """A folder with a function, and the verbs of lossproof in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels = folder / "kernels.py"
        self.kernels.write_text(KERNELS)
        (folder / "corpus").mkdir()
        (folder / "corpus" / "cross_entropy.yaml").write_text(CASES)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "", "PYTEST_ADDOPTS": ""},
        )

    def verify(self, *options: str, verb: str = "verify") -> subprocess.CompletedProcess[str]:
        return self.run("lossproof", verb, "--corpus", "corpus", "-n", "0", *options)

    def records(self) -> list[Record]:
        return read_results(self.folder / "reports" / "results.jsonl")[1]

    def mend(self) -> None:
        wrong = "logits - torch.logsumexp(logits, 1, keepdim=True)"
        assert wrong in KERNELS
        self.kernels.write_text(KERNELS.replace(wrong, "logits.log_softmax(1)"))

    def outcomes(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for record in self.records():
            found.setdefault(record.case, set()).add(record.outcome)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_function_is_judged_in_its_own_folder_and_the_failure_is_shown_in_its_own_words(
    project: Project,
) -> None:
    finished = project.verify(*SUBJECT)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert project.outcomes() == {
        "ce-small": {"agree"},
        "ce-weighted": {"unsupported"},
        "ce-offset": {"agree", "disagree"},
        "ce-beyond": {"disagree"},
        "ce-after": {"agree"},
    }
    assert {record.subject for record in project.records()} == {"kernels.py:loss"}
    command = (
        "lossproof verify --subject kernels.py:loss --as cross_entropy --cases ce-offset --dtypes float32 "
        "--corpus corpus -v"
    )
    assert command in finished.stdout
    assert "lossproof show ce-offset --corpus corpus" in finished.stdout
    snippets = [(record.detail or {}).get("snippet") for record in project.records()]
    shown = next(snippet for snippet in snippets if snippet)
    (project.folder / "shown.py").write_text(shown)
    assert "AssertionError" in project.run("shown").stderr
    project.mend()
    assert project.run("shown").returncode == 0


def test_the_command_that_shows_the_first_failure_in_full_keeps_options_and_shows_a_program(
    project: Project,
) -> None:
    finished = project.verify(*SUBJECT, "--reports", "elsewhere", "--time-limit", "60")
    command = re.search(r"in full: (lossproof verify .* -v);", finished.stdout)
    assert command is not None, finished.stdout
    assert "--corpus corpus --time-limit 60 --reports elsewhere -v" in command[1]
    again = project.run(*shlex.split(command[1]), "-n", "0")
    assert "This shows the first of them:" in again.stdout, again.stdout
    snippet = again.stdout.partition("This shows the first of them:")[2].partition("\n____")[0]
    (project.folder / "shown.py").write_text(snippet.partition("\n===")[0])
    assert "AssertionError" in project.run("shown").stderr


LARGE = """\
loss: CrossEntropyLoss
cases:
  - id: ce-large
    title: a common offset of many rows
    args:
      input: {uniform: [1000, 1010], shape: [100, 30], seed: 1}
      target: {index: 30, shape: [100], seed: 2}
    dtypes: [float32]
"""


def test_a_program_that_fills_the_screen_is_told_of_and_not_printed(project: Project) -> None:
    (project.folder / "corpus" / "cross_entropy.yaml").write_text(LARGE)
    finished = project.verify(*SUBJECT, "-v")
    assert re.search(
        r"The program that shows the first of them has [\d,]+ characters; the report holds it\.",
        finished.stdout,
    )
    (project.folder / "test_kernels.py").write_text(
        "import lossproof\nfrom kernels import loss\nfrom pathlib import Path\n\n\n"
        '@lossproof.conforms("cross_entropy", dtypes=["float32"], corpus=Path("corpus"), lacks=["empty"])\n'
        "def test_it(call):\n    return call(loss)\n"
    )
    tested = project.run("pytest", "-q", "-p", "no:cacheprovider", "test_kernels.py").stdout
    assert len(tested) < 6000, tested
    assert (
        "characters; a report holds it if you name what this test calls: lossproof verify "
        "--subject FILE.py:NAME --as CrossEntropyLoss --cases ce-large --dtypes float32 --lacks empty "
        "--corpus corpus"
    ) in tested
    assert "The case: lossproof show ce-large --corpus corpus" in tested


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


def test_init_writes_a_file_with_which_the_run_passes_until_a_failure_is_mended(project: Project) -> None:
    started = project.verify(*SUBJECT, verb="init")
    assert started.returncode == 0, started.stdout + started.stderr
    text = (project.folder / "lossproof.toml").read_text()
    assert 'subject = "kernels.py:loss"\nas = "cross_entropy"' in text
    assert set(re.findall(r'^case = "(.*)"', text, re.M)) == {"ce-offset", "ce-beyond"}
    workflow = (project.folder / ".github" / "workflows" / "lossproof.yml").read_text()
    assert "pip install 'lossproof[torch]'" in workflow
    assert "${{ always()" in workflow
    passed = project.verify()
    assert passed.returncode == 0, passed.stdout
    assert project.outcomes()["ce-offset"] == {"agree", "known defect"}
    again = project.verify(verb="init")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    project.mend()
    mended = project.verify()
    assert mended.returncode == 1
    assert re.search(
        r"lossproof.toml:\d+: \[ce-offset\] .* the defect is gone; remove the entry", mended.stdout
    )


def test_a_crash_is_a_failure_to_be_worked_off_as_any_other(project: Project) -> None:
    crash = "    if labels.tolist() == [1, 1]:\n        import os\n        os._exit(3)\n"
    project.kernels.write_text(KERNELS.replace("    kept =", f"{crash}    kept =", 1))
    assert project.verify(*SUBJECT, verb="init").returncode == 0
    passed = project.verify()
    assert passed.returncode == 0, passed.stdout
    assert project.outcomes()["ce-after"] == {"known defect"}
    assert "the process ended with status 3" in (project.folder / "lossproof.toml").read_text()


def test_what_was_quick_when_the_file_was_written_stays_quick(project: Project) -> None:
    assert project.verify(*SUBJECT, "--quick", verb="init").returncode == 0
    assert "\nquick = true\n" in (project.folder / "lossproof.toml").read_text()
    assert "the quick cases" in project.verify().stdout


@pytest.mark.parametrize(
    ("options", "tested", "steps"),
    [
        ({"subject": "kernels.py:loss"}, ["torch"], ["pip install 'lossproof[torch]'"]),
        ({"subject": "kernels.py:loss", "arrays": "numpy"}, ["numpy"], ["pip install lossproof"]),
        ({"command": "./runner"}, [], ["pip install lossproof"]),
        ({"subjects": "ours"}, ["ours", "torch"], ["pip install .", "pip install 'lossproof[torch]'"]),
        ({"subjects": "theirs"}, ["theirs"], ["pip install .", "pip install lossproof"]),
    ],
)
def test_the_workflow_installs_what_the_subject_needs(
    options: dict[str, str], tested: list[str], steps: list[str]
) -> None:
    assert re.findall(r"- run: (pip install .*)", workflow_text(options, tested)) == steps


def test_init_must_be_told_what_to_test(project: Project) -> None:
    finished = project.verify(verb="init")
    assert finished.returncode == 2
    assert "say what is yours, with --subject, --subjects or --command" in finished.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cases", "ce-weighted"], "kernels.py:loss has no parameter 'weight'"),
        (["--dtypes", "float16"], "no selected case is of a loss and a dtype that it has"),
    ],
)
def test_a_run_that_judges_nothing_of_what_it_names_fails(
    project: Project, options: list[str], said: str
) -> None:
    finished = project.verify(*SUBJECT, *options)
    assert finished.returncode == 1, finished.stdout
    assert f"problem: nothing of kernels.py:loss was judged: {said}" in finished.stdout


def test_what_a_call_does_to_its_process_costs_no_other_case(project: Project) -> None:
    """An accepted index corrupts what comes after, a crash ends the process, and a hang never answers."""
    harmful = """
        import os, signal, time
        if (labels < 0).any():
            CORRUPTED.append(1)
        if logits.shape[1] == 3 and (logits.detach() > 1000).any():
            {harm}
        """
    for harm, said in (
        ("os.kill(os.getpid(), signal.SIGKILL)", "the process was ended by SIGKILL"),
        ("time.sleep(1000)", "not done within 3 seconds, the time limit of a trial"),
    ):
        body = harmful.format(harm=harm).replace("\n        ", "\n    ")
        text = KERNELS.replace("ignore_index=-100):", f"ignore_index=-100):{body}")
        text = text.replace("import torch\n", "import torch\n\nCORRUPTED = []\n")
        project.kernels.write_text(text.replace("return picked\n", "return picked + len(CORRUPTED)\n"))
        finished = project.verify(*SUBJECT, "--dtypes", "float32", "--time-limit", "3")
        assert finished.returncode == 1, finished.stdout + finished.stderr
        assert project.outcomes() == {
            "ce-small": {"agree"},
            "ce-weighted": {"unsupported"},
            "ce-offset": {"error"},
            "ce-beyond": {"disagree"},
            "ce-after": {"agree"},
        }
        assert said in {record.message for record in project.records()}


def test_a_subject_on_the_command_line_is_meant_and_not_that_of_the_file(project: Project) -> None:
    settings = 'subject = "kernels.py:loss"\nas = "cross_entropy"\ndtypes = ["float32"]\n'
    (project.folder / "lossproof.toml").write_text(settings)
    finished = project.verify("--subjects", "reference,torch.nn.functional", "--cases", "ce-small")
    assert finished.returncode == 0, finished.stdout
    subjects = {(record.subject, record.dtype) for record in project.records() if record.subject}
    assert subjects == {("torch.nn.functional", "float32")}


def test_a_difference_by_design_excuses_what_its_pattern_matches_and_must_match_something(
    project: Project,
) -> None:
    differs = '[[differs]]\ncases = "ce-{}"\nreason = "{}"\n'
    settings = 'subject = "kernels.py:loss"\nas = "cross_entropy"\n'
    excused = differs.format("o*", "offsets are the caller's business") + differs.format(
        "b*", "indices are not checked"
    )
    (project.folder / "lossproof.toml").write_text(settings + excused)
    finished = project.verify()
    assert finished.returncode == 0, finished.stdout
    assert project.outcomes()["ce-offset"] == {"agree", "known defect"}
    (project.folder / "lossproof.toml").write_text(settings + excused + differs.format("s*", "nothing"))
    finished = project.verify()
    assert finished.returncode == 1
    assert "lossproof.toml:9: no check of 'ce-s*' differs in this way; remove the entry" in finished.stdout


def test_workers_read_the_same_file(project: Project) -> None:
    (project.folder / "lossproof.toml").write_text('subject = "kernels.py:loss"\nas = "cross_entropy"\n')
    finished = project.verify("-n", "2", "--cases", "ce-small")
    assert finished.returncode == 0, finished.stdout
    assert project.outcomes() == {"ce-small": {"agree"}}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--subject", "kernels.py:loss"),
            "say which loss kernels.py:loss computes, such as --as CrossEntropyLoss",
        ),
        (("--subject", "kernels.py:los", "--as", "L1Loss"), "kernels.py has no 'los'; did you mean 'loss'?"),
        (("--as", "L1Loss"), "--as is about a function; name it with --subject"),
        ((*SUBJECT[:3], "L2Loss"), "there is no loss 'L2Loss'; did you mean 'L1Loss'?"),
        (
            (*SUBJECT, "--arrays", "tensorflow"),
            "there are no arrays of 'tensorflow'; choose from torch, numpy",
        ),
        ((*SUBJECT, "--lacks", "emptiness"), "there is no feature 'emptiness'; choose from broadcast"),
        ((*SUBJECT, "--fixed", "reduction"), "ERROR: 'reduction' fixes no parameter; write name=value"),
        ((*SUBJECT, "--fixed", "margin=1"), "CrossEntropyLoss has no parameter 'margin', which is fixed"),
    ],
)
def test_a_mistake_in_the_options_is_said_in_a_sentence(
    project: Project, options: tuple[str, ...], said: str
) -> None:
    finished = project.verify(*options)
    assert finished.returncode == 2
    assert said in finished.stderr + finished.stdout
    assert "Traceback" not in finished.stderr + finished.stdout


def test_what_an_import_raises_or_warns_of_is_said_and_ignored(project: Project) -> None:
    project.kernels.write_text("import no_such_library\n")
    finished = project.verify(*SUBJECT)
    assert finished.returncode == 2
    assert (
        "kernels.py:loss needs no_such_library, which is not installed; install it"
        in finished.stderr + finished.stdout
    )
    assert "--arrays" not in finished.stderr + finished.stdout
    (project.folder / "torch.py").write_text("raise ModuleNotFoundError(name='torch')\n")
    project.kernels.write_text("def loss(x, y): ...\n")
    assert (
        "kernels.py:loss needs torch, which is not installed; install it, or name the arrays that it takes: "
        "--arrays numpy"
    ) in project.verify(*SUBJECT).stderr
    (project.folder / "torch.py").unlink()
    project.kernels.write_text("1 / 0\n")
    assert (
        "cannot be imported (ZeroDivisionError: division by zero, raised in "
        in project.verify(*SUBJECT).stderr
    )
    project.kernels.write_text(f"import warnings\nwarnings.warn('old', DeprecationWarning)\n{KERNELS}")
    assert project.verify(*SUBJECT, "--cases", "ce-small").returncode == 0


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
