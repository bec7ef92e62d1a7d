"""The harness from outside: exit statuses, options, reports, and what happens when something is wrong."""

from __future__ import annotations

import re
import shutil
import signal
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from suite_runs import CASES, DEFECTS, REPORTS, Suite

from lossproof.corpus.keys import TAKING_TURNS


def test_a_clean_run_ends_with_0_and_its_reports(suite: Suite) -> None:
    finished = suite.verify()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert {path.name for path in suite.reports.iterdir()} == REPORTS
    records = suite.records()
    assert {record["outcome"] for record in records} == {"agree"}
    assert {record["subject"] for record in records} == {
        None, "reference", "torch.nn", "torch.nn.functional"
    }  # fmt: skip
    assert {record["dtype"] for record in records} == {None, "float64", "float32", "bfloat16", "float16"}
    assert {"contiguous", "transposed", "strided"} <= {record["layout"] for record in records}
    quantities = {record["quantity"] for record in records if record["subject"] in (None, "reference")}
    assert quantities == {"value", "gradient:input", "vjp:input", "unchanged", "raises", "printed"}
    modes = {str(record["quantity"]) for record in records} - quantities
    assert {"jvp", "double_backward:input", "vmap", "autocast"} <= modes
    assert modes & {"meta", "fake"}
    assert len(modes & TAKING_TURNS - {"meta", "fake"}) > 3
    assert suite.run_line()["complete"] is True
    assert str(suite.reports / "report.html") in finished.stdout


def test_a_changed_number_is_named_with_its_line(suite: Suite) -> None:
    (suite.cases / "losses.yaml").write_text(CASES.replace("0.3642", "0.3643"))
    finished = suite.verify("--subjects", "reference")
    assert finished.returncode == 1
    assert "cases/losses.yaml:3: [weighted-mean]" in finished.stdout
    assert "stated 0.3643, true 0.36419474" in finished.stdout
    failing = ElementTree.parse(suite.reports / "junit.xml").find(".//testcase[failure]")
    assert failing is not None
    assert failing.get("file") == "cases/losses.yaml"
    assert failing.get("line") == "3"
    assert "weighted-mean" in suite.page()


PLANTED = {
    "a weighted mean that divides by N": (
        """
import torch
right = torch.nn.functional.cross_entropy
def wrong(input, target, weight=None, reduction="mean", **rest):
    if weight is None or reduction != "mean":
        return right(input, target, weight=weight, reduction=reduction, **rest)
    return right(input, target, weight=weight, reduction="sum", **rest) / target.numel()
torch.nn.functional.cross_entropy = wrong
""",
        r"cases/losses.yaml:3: \[weighted-mean\] torch.nn, float64, value, mean: the result is ",
    ),
    "a target out of range that is accepted": (
        """
import torch
right = torch.nn.functional.cross_entropy
def wrong(input, target, *args, **kwargs):
    return right(input, target.clamp(max=input.shape[-1] - 1), *args, **kwargs)
torch.nn.functional.cross_entropy = wrong
""",
        r"cases/losses.yaml:8: \[out-of-range\] torch.nn, float64, raises, mean: accepted",
    ),
    "one sign in the reference": (
        """
from lossproof.reference import cross_entropy
right = cross_entropy.log_softmax_gradient
cross_entropy.log_softmax_gradient = lambda upstream, log_p, dim: -right(upstream, log_p, dim)
""",
        r"cases/losses.yaml:3: \[weighted-mean\] torch.nn, float64, gradient:input, none: at ",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_fails_the_run_and_is_named(suite: Suite, fault: str) -> None:
    code, sentence = PLANTED[fault]
    finished = suite.verify(suite.plant(code))
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert re.search(sentence, finished.stdout), finished.stdout
    failed = [record for record in suite.records() if record["outcome"] == "disagree"]
    assert failed
    assert all(record["file"] == "cases/losses.yaml" for record in failed)


def test_the_snippet_of_a_failure_fails_by_itself_and_passes_on_a_right_torch(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _ = PLANTED["a weighted mean that divides by N"]
    suite.verify(suite.plant(code), "--dtypes", "float32", "--subjects", "torch.nn")
    details = [record["detail"] for record in suite.records() if record["outcome"] == "disagree"]
    assert details
    assert isinstance(details[0], dict)
    snippet = details[0]["snippet"]
    exec(snippet, {})  # this very torch is right
    monkeypatch.setattr(
        "torch.nn.functional.cross_entropy", torch.nn.functional.cross_entropy
    )  # to be undone
    with pytest.raises(AssertionError):
        exec(code + snippet, {})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--subjects", "torch.n"],
            "there is no subject 'torch.n'; choose from torch.nn, torch.nn.functional, torch-expressions, ",
        ),
        (
            ["--dtypes", "float8"],
            "there is no dtype 'float8'; choose from float64, float32, bfloat16, float16",
        ),
        (["--cases", "weigthed-*"], "no case matches 'weigthed-*'; there are 2, such as weighted-mean"),
        (
            ["--losses", "CrosEntropyLoss"],
            "there is no loss 'CrosEntropyLoss'; did you mean 'CrossEntropyLoss'?",
        ),
        (["--subjects", ""], "argument --subjects: it is empty, as an unset variable would be"),
        (["--command", " "], "argument --command: it is empty, as an unset variable would be"),
        (["--device", "abacus"], "there is no device 'abacus' here; choose from cpu"),
    ],
)
def test_an_unknown_name_ends_with_2_and_the_known_ones(
    suite: Suite, options: list[str], sentence: str
) -> None:
    finished = suite.verify(*options)
    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    assert not suite.reports.exists()


def test_losses_are_selected_by_the_name_of_class_or_function(suite: Suite) -> None:
    (suite.cases / "more.yaml").write_text(
        "loss: MSELoss\ncases:\n  - {id: other, title: a difference, args: {input: 1, target: 0}}\n"
    )
    for names, ids in ("F.mse_loss", {"other"}), ("MSELoss, CrossEntropyLoss", {"other", "weighted-mean"}):
        finished = suite.verify("--losses", names, "--dtypes", "float64", "--subjects", "reference")
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert {record["case"] for record in suite.records() if record["quantity"] == "value"} == ids


def test_a_mistake_in_a_case_file_ends_with_2_and_all_complaints(suite: Suite) -> None:
    (suite.cases / "losses.yaml").write_text(CASES.replace("title:", "titel:").replace("[1, 2]}", "[1, on]}"))
    finished = suite.verify()
    assert finished.returncode == 2
    said = finished.stderr
    assert "cases/losses.yaml:4: [weighted-mean]" in said
    assert "did you mean 'title'" in said
    assert "cases/losses.yaml:9: [out-of-range]" in said
    assert "Traceback" not in finished.stdout + said


def test_no_check_at_all_is_a_failure(suite: Suite) -> None:
    finished = suite.verify("--cases", "out-of-range", "--subjects", "reference", "--dtypes", "float16")
    assert finished.returncode == 1
    assert "no check ran" in finished.stdout


def test_a_known_defect_that_has_gone_fails_the_run(suite: Suite) -> None:
    (suite.cases / "known-defects.yaml").write_text(DEFECTS)
    finished = suite.verify("--dtypes", "float32")
    assert finished.returncode == 1
    assert (
        "cases/known-defects.yaml:2: [weighted-mean] torch.nn in float32 agrees on value (mean, contiguous)"
        in finished.stdout
    )
    elsewhere = suite.verify("--dtypes", "float64")
    assert elsewhere.returncode == 0, elsewhere.stdout


def test_a_known_defect_that_matches_nothing_fails_the_run(suite: Suite) -> None:
    (suite.cases / "known-defects.yaml").write_text(DEFECTS.replace("[value]", "[velue]"))
    finished = suite.verify("--dtypes", "float32")
    assert finished.returncode == 1
    assert "this known defect matches no check" in finished.stdout


def test_where_checks_of_its_case_fail_a_known_defect_may_match_nothing(suite: Suite) -> None:
    (suite.cases / "known-defects.yaml").write_text(DEFECTS.replace("[value]", "[velue]"))
    (suite.cases / "losses.yaml").write_text(CASES.replace("0.3642", "0.3643"))
    finished = suite.verify("--dtypes", "float32")
    assert finished.returncode == 1
    assert "this known defect matches no check" not in finished.stdout


@pytest.mark.parametrize(
    ("entry", "options"),
    [
        (DEFECTS.replace("dtypes: [float32], ", ""), ("--dtypes", "float32")),
        (DEFECTS.replace("torch.nn", "torch.*"), ("--dtypes", "float32", "--subjects", "torch.nn")),
    ],
    ids=["dtypes", "subjects"],
)
def test_a_known_defect_of_which_only_a_part_runs_may_match_nothing(
    suite: Suite, entry: str, options: tuple[str, ...]
) -> None:
    (suite.cases / "known-defects.yaml").write_text(entry.replace("[value]", "[velue]"))
    finished = suite.verify(*options)
    assert finished.returncode == 0, finished.stdout
    finished = suite.verify()
    assert finished.returncode == 1
    assert "this known defect matches no check" in finished.stdout


def test_workers_leave_the_same_records_in_the_same_order(suite: Suite) -> None:
    assert suite.verify("--cases", "*").returncode == 0
    alone = suite.records()
    shutil.rmtree(suite.reports)
    assert suite.verify("--numprocesses", "2").returncode == 0
    assert suite.records() == alone


def test_a_test_that_kills_its_process_is_an_error_and_nothing_else_is_lost(suite: Suite) -> None:
    code = """
import os, torch
right = torch.nn.functional.cross_entropy
def wrong(input, target, *args, **kwargs):
    if input.dtype == torch.float16:
        os._exit(11)
    return right(input, target, *args, **kwargs)
torch.nn.functional.cross_entropy = wrong
"""
    finished = suite.verify(suite.plant(code), "--numprocesses", "1", "--cases", "weighted-mean")
    assert finished.returncode == 1
    outcomes = {(record["subject"], record["dtype"]): record["outcome"] for record in suite.records()}
    assert outcomes["torch.nn", "float16"] == "error"
    assert outcomes["torch.nn", "float32"] == "agree"
    assert outcomes["reference", "float64"] == "agree"


def test_an_interrupted_run_says_so(suite: Suite) -> None:
    code = "import time, lossproof.checks.examination as e\nright = e.Examiner.examine\n" + (
        "def slow(*args):\n    time.sleep(0.4)\n    return right(*args)\ne.Examiner.examine = slow\n"
    )
    option = suite.plant(code)
    process = suite.start(option)
    assert process.stdout is not None
    while process.stdout.read(1) != "%":
        pass
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert suite.run_line()["complete"] is False
    assert suite.records()
    assert "incomplete" in said


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where the cache should be")
    suite.cache = tmp_path / "file" / "cache"
    finished = suite.verify("--dtypes", "float32", "--subjects", "torch.nn")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "arning" not in finished.stdout + finished.stderr
    assert (suite.reports / "report.html").exists()


def test_the_usual_pytest_options_work(suite: Suite) -> None:
    finished = suite.verify("-k", "weighted and float32 and not functional", "-vv")
    assert finished.returncode == 0
    assert "1 passed" in finished.stdout
    assert "test_case[weighted-mean-torch.nn-float32]" in finished.stdout
