"""``export --truth``: whoever follows INTERPRETING.md reaches the same outcomes as the suite."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT, whole_cases

from lossproof.adapters.command import CommandSubject
from lossproof.adapters.tensor_json import number_of
from lossproof.checks.examination import Examiner
from lossproof.command_line.exporting_truth import truth_text
from lossproof.command_line.terminal import Mistake
from lossproof.judging.choices import reclassify_conventions

CASES = {
    "MSELoss": (
        "mse-four",
        "mse-nan",
        "mse-infinite",
        "mse-largest",
        "mse-beyond-the-largest",
        "mse-empty",
        "mse-refuses-shapes",
    ),
    "L1Loss": ("l1-four", "l1-cube", "l1-nan", "l1-equal"),
    "CrossEntropyLoss": (
        "ce-three-rows",
        "ce-weight",
        "ce-ignored-all",
        "ce-offset",
        "ce-huge-logits",
        "ce-largest-logits",
        "ce-smoothing",
        "ce-refuses-index-beyond",
        "ce-refuses-batch",
    ),
}
# Each is a mistake in the losses of the runner, and an outcome that it causes.
MISTAKES = {
    "none": ("", "", "agree"),
    "other-slope-at-the-kink": ("Math.sign)", "(d) => (d < 0 ? -1 : 1))", "other convention"),
    "unshifted": ("logit - largest", "logit", "disagree"),
    "slightly-off": ("(d) => d * d,", "(d) => d * d * (1 + 2 ** -49.9),", "close"),
    "accepting": ("throw new Refusal(message)", "return", "accepts"),
}


def lines(**options: Any) -> list[dict[str, Any]]:
    chosen = {"corpus": None, "patterns": "", "losses": "", "dtypes": ""} | options
    return [json.loads(line) for line in truth_text(**chosen).splitlines()]


@pytest.fixture(scope="module")
def exported() -> dict[str, dict[str, Any]]:
    """The calls of the cases above, by id, after the first line."""
    wanted = {id for ids in CASES.values() for id in ids}
    known = whole_cases()
    assert wanted <= set(known), wanted - set(known)
    found: dict[str, dict[str, Any]] = {}
    for loss in CASES:
        head, *calls = lines(losses=loss, dtypes="float64,float32")
        found[""] = head
        found |= {call["id"]: call for call in calls if call["case"] in wanted}
    return found


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_judge_in_another_language_reaches_the_same_outcomes(
    mistake: str, exported: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")
    for name in ("runner-node", "judge-node"):
        shutil.copytree(ROOT / "examples" / name, tmp_path / name)
    right, wrong, outcome = MISTAKES[mistake]
    losses = tmp_path / "runner-node" / "losses.mjs"
    text = losses.read_text()
    assert right in text
    losses.write_text(text.replace(right, wrong))
    text = "\n".join(json.dumps(line) for line in exported.values())
    judge = [node, str(tmp_path / "judge-node" / "judge.mjs")]
    judged = subprocess.run(judge, input=text, capture_output=True, text=True, timeout=60, check=True)
    theirs = {one["id"]: one["outcomes"] for one in map(json.loads, judged.stdout.splitlines())}
    ours = outcomes_of(f"{node} {tmp_path / 'runner-node' / 'runner.mjs'}")
    assert set(theirs) >= set(ours)
    compared: Counter[str] = Counter()
    for id, by_quantity in ours.items():
        # What the runner says that it lacks, only lossproof knows.
        for quantity, found in by_quantity.items():
            if found != "unsupported":
                assert theirs[id].get(quantity) == found, (id, quantity)
                compared[found] += 1
    assert compared[outcome], compared
    assert compared["agree"] > 20


def outcomes_of(command: str) -> dict[str, dict[str, str]]:
    """Our outcomes, by the id of the call and the quantity."""
    subject = CommandSubject(command)
    with closing(subject):
        return _outcomes_of(subject)


def _outcomes_of(subject: CommandSubject) -> dict[str, dict[str, str]]:
    examiner = Examiner(with_modes=False, with_illustrations=False)
    found: dict[str, dict[str, str]] = {}
    for id in (id for ids in CASES.values() for id in ids):
        case = whole_cases()[id]
        for dtype in {*case.dtypes} & {"float64", "float32"}:
            for record in reclassify_conventions(examiner.examine(case, subject, dtype), {}):
                if record.quantity.kind in ("value", "gradient", "vjp", "raises"):
                    call = "-".join(filter(None, (id, dtype, record.reduction)))
                    found.setdefault(call, {})[record.quantity] = record.outcome
    return found


def test_the_numbers_are_the_truth(exported: dict[str, dict[str, Any]]) -> None:
    value = exported["ce-three-rows-float64-mean"]["expect"]["value"]
    exact = Fraction(number_of(value["true"][0]) or 0) + Fraction(
        number_of(value.get("rest", ["0x0p+0"])[0]) or 0
    )
    assert abs(float(exact) - float(value["digits"][0])) < 1e-15
    assert 2 * (number_of(value["bound"][0]) or 0) == number_of(value["budget"][0])
    assert 0 < (number_of(value["budget"][0]) or 0) < 1e-13
    narrow = exported["ce-three-rows-float32-mean"]["expect"]["value"]
    assert (number_of(narrow["budget"][0]) or 0) > 1e6 * (number_of(value["budget"][0]) or 0)


def test_a_call_says_which_parameters_it_needs_and_what_is_refused(
    exported: dict[str, dict[str, Any]],
) -> None:
    assert exported["mse-four-float32-mean"]["given"] == []
    assert exported["mse-four-float32-sum"]["given"] == ["reduction"]
    assert exported["ce-weight-float32-mean"]["given"] == ["weight"]
    refused = exported["ce-refuses-index-beyond-float32-mean"]
    assert refused["refuse"] == "index"
    assert "expect" not in refused


def test_the_first_line_describes_the_file_and_large_tensors_are_left_out() -> None:
    head, *calls = lines(losses="MSELoss", patterns="mse-bias", dtypes="float32")
    assert (head["format"], head["version"]) == ("lossproof-truth", 1)
    assert head["dtypes"] == {"float32": {"largest": "0x1.fffffep+127"}}
    assert (head["left_out"], calls) == (["mse-bias"], [])


def test_what_passes_besides_the_number_is_named() -> None:
    calls = {call["id"]: call for call in lines(losses="MSELoss", dtypes="float16")[1:]}
    named = [
        name
        for call in calls.values()
        for one in call.get("expect", {}).values()
        for name in one.get("also", [])
    ]
    assert ["inf"] in named
    assert all(set(names) <= {"inf", "-inf", "nan"} for names in named)


def test_a_parameter_that_the_loss_lacks_leaves_its_case_out() -> None:
    head, *calls = lines(losses="BCELoss", patterns="d002-1*", dtypes="float64")
    assert head["left_out"] == ["d002-12-bce-has-no-ignore-index"]
    assert {call["case"] for call in calls} >= {"d002-10-first-loss-by-hand"}


def test_cases_and_losses_are_selected_as_by_verify() -> None:
    calls = lines(losses="MSELoss,F.l1_loss", patterns="mse-four, l1-four", dtypes="float64")[1:]
    assert {call["case"] for call in calls} == {"mse-four", "l1-four"}
    calls = lines(losses="l1_loss", patterns="mse-four,l1-four", dtypes="float64")[1:]
    assert {call["case"] for call in calls} == {"l1-four"}


def test_a_call_says_what_it_needs() -> None:
    [call] = [
        one for one in lines(patterns="mse-row-target", dtypes="float64")[1:] if one["reduction"] == "sum"
    ]
    assert call["needs"] == ["broadcast"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtypes": "float23"}, "there is no dtype 'float23'; did you mean 'float32'?"),
        ({"losses": "L2Loss"}, "there is no loss 'L2Loss'; did you mean 'L1Loss'?"),
        ({"patterns": "nosuch-*"}, "no case matches 'nosuch-*'"),
        ({"losses": "L1Loss", "patterns": "mse-*"}, "no case matches all of these options; leave one out"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(options: dict[str, str], said: str) -> None:
    with pytest.raises(Mistake) as caught:
        lines(**options)
    assert said in str(caught.value)


def test_the_guide_names_every_key(exported: dict[str, dict[str, Any]]) -> None:
    guide = (ROOT / "docs" / "INTERPRETING.md").read_text(encoding="utf-8")
    keys = {key for line in exported.values() for key in line}
    keys |= {key for line in exported.values() for one in line.get("expect", {}).values() for key in one}
    assert keys >= {"otherwise", "also", "refuse", "left_out"}
    assert [key for key in sorted(keys) if f"`{key}`" not in guide] == []
