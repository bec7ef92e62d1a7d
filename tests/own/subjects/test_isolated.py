"""A call in a process of its own: its answer comes back, and its end is not ours."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from exact_arithmetic import literal

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case, Raised
from lossproof.subjects.call import Call, Observation, Refused, Unsupported, Values
from lossproof.subjects.isolated import run_isolated
from lossproof.subjects.reference.subject import ReferenceSubject
from lossproof.subjects.subject import Subject


class Peculiar(Subject):
    """Does what the reduction of the call tells it."""

    name = "peculiar"
    dtypes = ("float64",)

    def version(self) -> str:
        return "1"

    def run(self, call: Call) -> Observation:
        deeds: dict[str, Callable[[], None]] = {
            "exit": lambda: os._exit(3),
            "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
            "refuse": lambda: _raise(
                Refused("IndexError", "Target 3 is out of bounds", "call", "index", is_staged=True)
            ),
            "lack": lambda: _raise(Unsupported("no kernel")),
            "look": lambda: _raise(Unsupported(f"traceback: {faulthandler.is_enabled()}")),
        }
        deeds.get(str(call.reduction), lambda: None)()
        return Observation(np.asarray(float(os.getpid())), "float64")


class Ours(Peculiar):
    """Runs in a copy of this process."""

    is_foreign = False


def _raise(error: Exception) -> None:
    raise error


Ask = Callable[[str], Observation]


@pytest.fixture(params=[Peculiar, Ours])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks a subject whose process is started anew, or a copy of this one."""
    args = {"input": Values(np.zeros((2, 3)), "float64")}
    call = Call("NLLLoss", {}, args, None, "float64")
    return lambda reduction: run_isolated(request.param(), replace(call, reduction=reduction))


def test_the_answer_comes_from_another_process(ask: Ask) -> None:
    first, second = float(ask("mean").value), float(ask("mean").value)
    assert os.getpid() not in (first, second)
    assert first != second


def test_a_refusal_comes_back_whole(ask: Ask) -> None:
    with pytest.raises(Refused, match="Target 3 is out of bounds") as caught:
        ask("refuse")
    assert (caught.value.type, caught.value.when, caught.value.kind) == ("IndexError", "call", "index")
    assert caught.value.is_staged


def test_what_is_unsupported_stays_so(ask: Ask) -> None:
    with pytest.raises(Unsupported, match="no kernel"):
        ask("lack")


def test_the_end_of_the_process_leaves_no_traceback_on_the_terminal(ask: Ask) -> None:
    assert faulthandler.is_enabled()  # as pytest does, which a copy would inherit
    with pytest.raises(Unsupported, match="traceback: False"):
        ask("look")


@pytest.mark.parametrize(("deed", "words"), [("exit", "with status 3"), ("crash", "by SIGSEGV")])
def test_the_end_of_the_process_is_told(ask: Ask, deed: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        ask(deed)
    assert caught.value.type == "ProcessEnded"


class Ending(ReferenceSubject):
    """Ends its process."""

    name = "torch.nn"

    def run(self, call: Call) -> Observation:
        os._exit(3)


REFUSED = Case(
    "one",
    "a case",
    "NLLLoss",
    "cases/x.yaml",
    3,
    args={"input": literal([["0.5", "-1"]]), "target": literal(["5"])},
    raises=Raised("index", "call", "IndexError", ""),
    reductions=("none",),
    own_process=True,
)


def test_the_end_of_the_process_is_no_refusal() -> None:
    [record] = Examiner().examine(REFUSED, Ending(), "float64")
    assert record.outcome == "disagree"
    assert record.message == "accepted, or ended the process; must be refused"
