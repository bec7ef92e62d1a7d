"""A call in a process of its own: its answer comes back, and its end is not ours."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal

from lossproof.corpus.case import Case, Raised
from lossproof.judging.examination import Examiner
from lossproof.subjects.apart import Apart
from lossproof.subjects.call import Call, Observation, Refused, Subject, Unsupported, Values
from lossproof.subjects.reference_subject import ReferenceSubject


class Peculiar:
    """Does what the reduction of the call tells it."""

    name = "peculiar"
    dtypes = ("float64",)

    def version(self) -> str:
        return "1"

    def devices(self) -> tuple[str, ...]:
        return ("cpu",)

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        return aspect

    def run(self, call: Call) -> Observation:
        deeds = {
            "exit": lambda: os._exit(3),
            "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
            "refuse": lambda: _raise(Refused("IndexError", "Target 3 is out of bounds", "call", "index")),
            "lack": lambda: _raise(Unsupported("no kernel")),
        }
        deeds.get(str(call.reduction), lambda: None)()
        return Observation(np.asarray(float(os.getpid())), "float64")


def _raise(error: Exception) -> None:
    raise error


def ask(reduction: str) -> Observation:
    args = {"input": Values(np.zeros((2, 3)), "float64")}
    return Apart(Peculiar()).run(Call("NLLLoss", {}, args, reduction, "float64"))


def test_the_answer_comes_from_another_process() -> None:
    first, second = float(ask("mean").value), float(ask("mean").value)
    assert os.getpid() not in (first, second)
    assert first != second


def test_a_refusal_comes_back_whole() -> None:
    with pytest.raises(Refused, match="Target 3 is out of bounds") as caught:
        ask("refuse")
    assert (caught.value.type, caught.value.when, caught.value.kind) == ("IndexError", "call", "index")


def test_what_is_unsupported_stays_so() -> None:
    with pytest.raises(Unsupported, match="no kernel"):
        ask("lack")


@pytest.mark.parametrize(("deed", "words"), [("exit", "with status 3"), ("crash", "by SIGSEGV")])
def test_the_end_of_the_process_is_told(deed: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        ask(deed)
    assert caught.value.type == "ProcessEnded"


class Telling(ReferenceSubject):
    """Says in its refusal which gradients it was asked for; made anew in a process of its own."""

    name = "torch.nn"

    def run(self, call: Call) -> Observation:
        upstreams = [upstream.tolist() for upstream in call.upstreams]
        raise Refused("IndexError", f"{call.reduction} {upstreams} {call.wrt}", "call")


class Ending(ReferenceSubject):
    """Ends its process."""

    name = "torch.nn"

    def run(self, call: Call) -> Observation:
        os._exit(3)


class Accepting(ReferenceSubject):
    """Takes everything."""

    name = "torch.nn"

    def run(self, call: Call) -> Observation:
        return Observation(np.zeros(2), "float64")


REFUSAL = Raised("index", "call", "IndexError", "")
REFUSED = Case(
    "one",
    "a case",
    "NLLLoss",
    "cases/x.yaml",
    3,
    args={"input": literal([["0.5", "-1"]]), "target": literal(["5"])},
    raises=REFUSAL,
)


def test_what_runs_in_a_process_of_its_own_is_asked_for_gradients_as_well() -> None:
    """Memory may be corrupted by the backward pass alone, which a number that is reduced is enough for."""
    words = r"none \[\] \(\)|(mean|sum) \[1.0\] \('input',\)"
    apart = replace(REFUSED, raises=replace(REFUSAL, match=words), own_process=True)
    assert [record.message for record in Examiner().examine(apart, Telling(), "float64")] == ["", "", ""]
    here = replace(apart, raises=replace(REFUSAL, match=r"\[\] \(\)"), own_process=False)
    assert [record.message for record in Examiner().examine(here, Telling(), "float64")] == ["", "", ""]


@pytest.mark.parametrize("subject", [Ending(), Accepting()])
def test_what_ends_its_process_or_is_accepted_says_the_same_each_time(subject: Subject) -> None:
    apart = replace(REFUSED, own_process=True, reductions=("none",))
    [record] = Examiner().examine(apart, subject, "float64")
    assert record.outcome == "disagree"
    assert record.message == "accepted, or ended the process; must be refused"
