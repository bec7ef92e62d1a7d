"""What a subject does beside computing: claims about modules, refusals, warnings, processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from exact_arithmetic import literal
from examined_cases import DISTANCE, LABELLED, REFUSAL, case, examine, named, plainly_again
from pretenders import Modal, Pretender, Refusing

from lossproof.corpus.case import Drifted, ModuleClaim, Raised
from lossproof.records.record import Record
from lossproof.subjects.call import Call, Observation, Refused, SeenWarning, Unsupported
from lossproof.subjects.reference.subject import ReferenceSubject
from lossproof.subjects.subject import Subject

# Claims about modules


class Module(Pretender):
    """Answers every question about its modules alike."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def inspect(self, aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def of_module(answer: object, drifted: Drifted | None = None) -> Record:
    claim = ModuleClaim("repr", "MSELoss()")
    [record] = examine(case("MSELoss", {}, module=claim, drifted=drifted), Module(answer), None)
    assert (record.quantity, record.reduction, record.dtype) == ("module", None, None)
    return record


def test_what_a_module_shows_must_be_as_claimed() -> None:
    record = of_module("MSELoss()")
    assert (record.outcome, record.message, record.detail) == ("agree", "repr is MSELoss()", None)
    record = of_module("Loss()")
    assert (record.outcome, record.message) == ("disagree", "repr is Loss(), should be MSELoss()")
    assert record.detail is not None
    assert (record.detail["expected"], record.detail["observed"]) == ("MSELoss()", "Loss()")


def test_what_a_module_no_longer_shows_must_not_come_back() -> None:
    assert of_module("MSELoss()", Drifted("Loss()", "2.0")).outcome == "agree"
    assert of_module("MSELoss()", Drifted("MSELoss()", "2.0")).outcome == "disagree"
    assert of_module("Other()", Drifted("Loss()", "2.0")).outcome == "disagree"


def test_a_module_that_cannot_be_looked_at_is_on_record() -> None:
    record = of_module(Unsupported("it has no modules"))
    assert (record.outcome, record.message) == ("unsupported", "it has no modules")
    record = of_module(Refused("TypeError", "no such option", "construct"))
    assert (record.outcome, record.message) == ("error", "raised TypeError: no such option")


# Refusals

REFUSED = replace(
    LABELLED, args={**LABELLED.args, "target": literal(["0", "5"])}, raises=REFUSAL, reductions=("sum",)
)


def refusal(
    type: str = "IndexError",
    message: str = "Target 5 is out of bounds",
    when: str = "call",
    kind: str | None = None,
    subject: str = "torch.nn",
    wanted: Raised = REFUSAL,
) -> Record:
    refused = Refused(type, message, when, kind, is_staged=subject == "torch.nn")
    refusing = Refusing(refused, subject)
    [record] = examine(replace(REFUSED, raises=wanted), refusing)
    assert (record.quantity, record.reduction) == ("raises", "sum")
    return record


def test_a_refusal_must_be_of_the_type_and_say_the_words_at_the_time() -> None:
    right = refusal()
    assert (right.outcome, right.message, right.detail) == ("agree", "", None)
    for wrong in (
        refusal(type="ValueError"),
        refusal(message="what?\nin many lines"),
        refusal(when="construct"),
        refusal(when="backward"),
    ):
        assert wrong.outcome == "disagree"
        assert wrong.detail is not None
        assert "snippet" in wrong.detail
    assert refusal(message="what?\nin many lines").message == (
        "raised IndexError at the call: what?; "
        "should be IndexError at the call matching 'Target [0-9]+ is out of bounds'"
    )


def test_a_function_can_refuse_nothing_before_the_call() -> None:
    early = replace(REFUSAL, when="construct")
    assert refusal(subject="torch.nn.functional", wanted=early).outcome == "agree"
    assert refusal(wanted=early).outcome == "disagree"
    assert refusal(when="construct", wanted=early).outcome == "agree"


def test_a_subject_that_names_kinds_is_judged_by_the_kind_alone() -> None:
    right = refusal("Any", "other words", "construct", "index")
    assert (right.outcome, right.message) == ("agree", "")
    wrong = refusal(kind="shape", message="other words")
    assert (wrong.outcome, wrong.message) == (
        "disagree",
        "refused with kind shape, not index: other words",
    )


@pytest.mark.parametrize(
    ("reduction", "result"), [("sum", "result -0.75"), ("none", "a result of shape [2]")]
)
def test_what_must_be_refused_and_is_accepted_disagrees(reduction: str, result: str) -> None:
    [record] = examine(replace(LABELLED, raises=REFUSAL, reductions=(reduction,)))
    assert (record.quantity, record.outcome) == ("raises", "disagree")
    assert record.message == f"accepted, with {result}; must be refused"


# Calls in a process of their own, which here is this one


@pytest.fixture
def sent_apart(monkeypatch: pytest.MonkeyPatch) -> list[Subject]:
    """The subjects that were to run in a process of their own."""
    sent: list[Subject] = []

    def run_here(subject: Subject, call: Call) -> Observation:
        sent.append(subject)
        return subject.run(call)

    monkeypatch.setattr("lossproof.subjects.guarded.run_isolated", run_here)
    return sent


def test_a_case_may_have_a_process_of_its_own(sent_apart: list[Subject]) -> None:
    examine(DISTANCE)
    assert sent_apart == []
    subject = Pretender()
    examine(replace(DISTANCE, own_process=True), subject)
    assert set(sent_apart) == {subject}


def test_what_may_end_the_process_has_no_modes(sent_apart: list[Subject]) -> None:
    modal = Modal(("twice",), plainly_again)
    assert "twice" in {record.quantity for record in examine(DISTANCE, modal)}
    assert "twice" not in {record.quantity for record in examine(replace(DISTANCE, own_process=True), modal)}


class Telling(Pretender):
    """Says in its refusal which gradients it was asked for."""

    def run(self, call: Call) -> Observation:
        upstreams = [upstream.tolist() for upstream in call.upstreams]
        raise Refused("IndexError", f"{call.reduction} {upstreams} {call.wrt}", "call")


def test_what_may_corrupt_memory_is_asked_for_gradients_too(sent_apart: list[Subject]) -> None:
    """The backward pass alone may do so; its upstream gradient is known where the output is one number."""
    words = r"none \[\] \(\)|(mean|sum) \[1.0\] \('input',\)"
    apart = replace(REFUSED, raises=replace(REFUSAL, match=words), reductions=None, own_process=True)
    assert [record.message for record in examine(apart, Telling())] == ["", "", ""]
    here = replace(apart, raises=replace(REFUSAL, match=r"\[\] \(\)"), own_process=False)
    assert [record.message for record in examine(here, Telling())] == ["", "", ""]


def test_what_memory_may_hold_is_not_told(sent_apart: list[Subject]) -> None:
    for record in (
        *examine(replace(LABELLED, raises=REFUSAL, own_process=True)),
        *examine(replace(REFUSED, own_process=True), Refusing(Refused("ProcessEnded", "by SIGSEGV", "call"))),
    ):
        assert record.outcome == "disagree"
        assert record.message == "accepted, or ended the process; must be refused"


# Warnings


def warning(*seen: SeenWarning, name: str = "torch.nn", wanted: str = "UserWarning") -> Record:
    warned = replace(DISTANCE, reductions=("sum",), warns=Raised("any", "call", wanted, "size [0-9]"))
    subject = Pretender(lambda call, answer: replace(answer, warnings=seen), name)
    return named(examine(warned, subject), "warns")


USER = ("UserWarning", "Warning", "Exception")


def test_a_warning_must_be_of_the_class_and_say_the_words() -> None:
    right = SeenWarning(USER, "the size 2 differs")
    other = SeenWarning(("FutureWarning", "Warning"), "of size 3")
    for record in (warning(right), warning(right, wanted="Warning"), warning(other, right)):
        assert (record.outcome, record.message, record.reduction) == ("agree", "", "sum")
    record = warning(SeenWarning(USER, "other words"), other)
    assert (record.outcome, record.message) == (
        "disagree",
        "warned of UserWarning: other words; FutureWarning: of size 3; should warn UserWarning 'size [0-9]'",
    )
    assert warning().message == "warned of nothing; should warn UserWarning 'size [0-9]'"


def test_a_warning_of_a_kind_is_judged_by_the_kind_alone() -> None:
    own = SeenWarning(("MyWarning", *USER), "anything", "any")
    assert warning(own).outcome == "agree"
    assert warning(SeenWarning(USER, "another"), own).outcome == "agree"
    assert warning(replace(own, kind=None)).outcome == "disagree"
    assert warning(SeenWarning(USER, "size 2", "other")).outcome == "disagree"


def test_the_reference_says_of_what_kind_its_warnings_are() -> None:
    args = {"input": literal(["1", "2"]), "target": literal([["1"], ["2"]])}
    for kind, outcome in (("shape", "agree"), ("option", "disagree")):
        warned = case("MSELoss", args, reductions=("sum",), warns=Raised(kind, "call", "UserWarning", "-"))
        assert named(examine(warned, ReferenceSubject()), "warns").outcome == outcome
    warned = case("KLDivLoss", {"input": literal(["0"]), "target": literal(["1"])}, reductions=("mean",))
    warned = replace(warned, warns=Raised("option", "call", "UserWarning", "-"))
    assert named(examine(warned, ReferenceSubject()), "warns").outcome == "agree"
