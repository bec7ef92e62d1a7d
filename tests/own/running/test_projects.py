"""A project of somebody else's: a function on the command line, ``init``, and ``lossproof.toml``."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from their_projects import KERNELS, SUBJECT, Project

from lossproof.command_line.initializing import workflow_text


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
      input:
        concatenate: [{uniform: [1000, 1010], shape: [90, 30], seed: 1}, {fill: 1000, shape: [10, 30]}]
        dim: 0
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
    assert "tensor(" not in tested, tested  # a line of the program
    assert (
        "characters; a report holds it if you name what this test calls: lossproof verify "
        "--subject FILE.py:NAME --as CrossEntropyLoss --cases ce-large --dtypes float32 --lacks empty "
        "--corpus corpus"
    ) in tested
    assert "The case: lossproof show ce-large --corpus corpus" in tested


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
