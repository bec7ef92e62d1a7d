"""Examining a case: which checks it makes of a subject, and what the records of each say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from exact_arithmetic import literal
from pretenders import Modal, Pretender, Refusing

from lossproof.corpus.case import Case, Drifted, Identity, ModuleClaim, Raised, Term
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.tensors import Tensor, Uniform
from lossproof.judging.calls import CallPlanner, PlannedCall
from lossproof.judging.examination import Examiner
from lossproof.judging.record import Record
from lossproof.numbers.ball import Undecided
from lossproof.subjects.call import Call, Observation, Refused, SeenWarning, Subject, Unsupported
from lossproof.subjects.modes import ModeObservation


def case(loss: str, args: Mapping[str, Tensor], **changes: Any) -> Case:
    return Case("one", "a case", loss, "cases/x.yaml", 3, args=args, **changes)


MATRIX = literal([["0.5", "-1"], ["2", "0.25"]])
DISTANCE = case("MSELoss", {"input": MATRIX, "target": literal([["1", "1"], ["1", "2"]])})
LABELLED = case("NLLLoss", {"input": MATRIX, "target": literal(["0", "1"])})


def examine(
    examined: Case, subject: Subject | None = None, dtype: str = "float64", **options: Any
) -> list[Record]:
    return Examiner(**options).examine(examined, Pretender() if subject is None else subject, dtype)


def outcomes(records: list[Record]) -> set[tuple[str, str]]:
    return {(record.quantity, record.outcome) for record in records}


def named(records: list[Record], quantity: str) -> Record:
    """The first record of a quantity."""
    return next(record for record in records if record.quantity == quantity)


def test_what_is_right_agrees_in_every_quantity_and_reduction() -> None:
    records = examine(DISTANCE)
    quantities = ("value", "gradient:input", "gradient:target", "vjp:input", "vjp:target", "unchanged")
    assert [(record.reduction, record.quantity, record.outcome) for record in records] == [
        (reduction, quantity, "agree") for reduction in ("none", "mean", "sum") for quantity in quantities
    ]
    assert {record.layout for record in records} == {"contiguous"}


def test_a_subject_is_asked_on_the_device_of_the_run() -> None:
    subject = Pretender()
    identity = Identity((Term(),), None, "it is itself")
    Examiner().examine(replace(DISTANCE, same_as=identity), subject, "float64", "cuda")
    Examiner().examine(replace(LABELLED, raises=REFUSAL), subject, "float64", "cuda")
    Examiner().examine(replace(LABELLED, repeats=2), subject, "float64", "cuda")
    assert len(subject.calls) > 9
    assert {call.device for call in subject.calls} == {"cuda"}


def test_what_a_subject_does_not_support_is_on_record_with_its_reason() -> None:
    records = examine(DISTANCE, Refusing(Unsupported("no kernel")))
    assert [(record.reduction, record.quantity, record.outcome, record.message) for record in records] == [
        (reduction, "value", "unsupported", "no kernel") for reduction in ("none", "mean", "sum")
    ]


def test_a_case_that_the_reference_refuses_has_to_say_so() -> None:
    wrong = replace(LABELLED, args=LABELLED.args | {"target": literal(["0", "5"])}, reductions=("sum",))
    [record] = examine(wrong)
    assert (record.quantity, record.outcome, record.reduction) == ("value", "error", "sum")
    assert record.message.startswith("the reference refuses this case: ")
    assert record.message.endswith("; say so in the case with 'raises:'")


def test_a_truth_that_cannot_be_certified_is_an_error() -> None:
    class Undecidable(CallPlanner):
        def plan(self, *args: Any, **kwargs: Any) -> PlannedCall:
            raise Undecided("which side")

    [record] = examine(replace(DISTANCE, reductions=("sum",)), planner=Undecidable())
    assert (record.quantity, record.outcome, record.reduction) == ("value", "error", "sum")
    assert record.message == "the truth cannot be certified: which side"


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
    claim = ModuleClaim("repr", "MSELoss()", {})
    [record] = examine(case("MSELoss", {}, module=claim, drifted=drifted), Module(answer), "none")
    assert (record.quantity, record.reduction, record.dtype) == ("module", None, "none")
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

REFUSAL = Raised("index", "call", "IndexError", "Target [0-9]+ is out of bounds")
REFUSED = replace(
    LABELLED, args=LABELLED.args | {"target": literal(["0", "5"])}, raises=REFUSAL, reductions=("sum",)
)


def refusal(
    type: str = "IndexError",
    message: str = "Target 5 is out of bounds",
    when: str = "call",
    kind: str | None = None,
    subject: str = "torch.nn",
    wanted: Raised = REFUSAL,
) -> Record:
    refusing = Refusing(Refused(type, message, when, kind), subject)
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

    def apart(subject: Subject) -> Subject:
        sent.append(subject)
        return subject

    monkeypatch.setattr("lossproof.judging.examination.Apart", apart)
    return sent


def test_a_case_may_have_a_process_of_its_own(sent_apart: list[Subject]) -> None:
    examine(DISTANCE)
    assert sent_apart == []
    subject = Pretender()
    examine(replace(DISTANCE, own_process=True), subject)
    assert sent_apart == [subject]


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


# Numbers


def layouts_of(
    examined: Case, subject: Subject | None = None, dtype: str = "float32"
) -> dict[str | None, str]:
    """The layouts in which each reduction ran."""
    ran: dict[str | None, list[str]] = {}
    for record in examine(examined, subject, dtype, with_modes=False):
        if record.quantity == "value":
            ran.setdefault(record.reduction, []).append(record.layout)
    return {reduction: " ".join(layouts) for reduction, layouts in ran.items()}


def test_layouts_are_tried_without_a_reduction_and_with_one() -> None:
    tried = "contiguous transposed strided"
    assert layouts_of(DISTANCE) == {"none": tried, "mean": tried, "sum": "contiguous"}
    assert layouts_of(replace(DISTANCE, reductions=("sum",))) == {"sum": tried}


def test_layouts_are_tried_in_one_dtype() -> None:
    one = replace(DISTANCE, reductions=("sum",))
    assert layouts_of(one, dtype="float64") == {"sum": "contiguous"}
    wide = Pretender(dtypes=("float64", "bfloat16"))
    assert layouts_of(one, wide, "bfloat16") == {"sum": "contiguous"}
    assert layouts_of(one, wide, "float64") == {"sum": "contiguous transposed strided"}


@pytest.mark.parametrize(
    ("input", "weight", "layouts"),
    [
        (literal("0.5"), None, "contiguous"),
        (literal(["0.5", "1"]), None, "contiguous strided"),
        (literal(["0.5", "0.5"]), None, "contiguous strided expanded"),
        (literal([["0.5"]]), None, "contiguous transposed strided"),
        (MATRIX, None, "contiguous transposed strided"),
        (literal([["0.5", "1"], ["0.5", "1"]]), None, "contiguous transposed strided expanded"),
        (literal([["0.5", "0.5"], ["1", "1"]]), None, "contiguous transposed strided expanded"),
        (MATRIX, literal([["2", "1"], ["2", "1"]]), "contiguous transposed strided expanded"),
    ],
)
def test_which_layouts_there_are_is_up_to_the_tensors(
    input: Tensor, weight: Tensor | None, layouts: str
) -> None:
    """A tensor can be expanded along a dimension in which it repeats itself."""
    params = {} if weight is None else {"weight": weight}
    one = case("MSELoss", {"input": input, "target": input}, params=params, reductions=("sum",))
    assert layouts_of(one) == {"sum": layouts}


def test_one_tensor_is_enough_for_a_layout() -> None:
    """The target has fewer dimensions than the input."""
    assert layouts_of(replace(LABELLED, reductions=("sum",))) == {"sum": "contiguous transposed strided"}
    args = {"input": literal(["0.5", "1"]), "target": literal("0.5")}
    assert layouts_of(case("MSELoss", args, reductions=("sum",))) == {"sum": "contiguous strided"}


def test_beyond_numbers_nothing_is_asked_again_in_another_layout() -> None:
    identity = Identity((Term(),), None, "it is itself")
    warned = Raised("any", "call", "UserWarning", "")
    full = replace(DISTANCE, reductions=("mean",), same_as=identity, warns=warned)
    records = examine(full, Modal(("twice",), plainly_again), "float32")
    assert {record.layout for record in records} == {"contiguous", "transposed", "strided"}
    for quantity in ("warns", "same_as", "twice"):
        assert [record.layout for record in records if record.quantity == quantity] == ["contiguous"]


@pytest.mark.parametrize(
    ("when", "quantity"), [("call", "value"), ("construct", "value"), ("backward", "gradient")]
)
def test_what_should_have_worked_is_an_error_in_its_layout(when: str, quantity: str) -> None:
    def act(call: Call, answer: Observation) -> Observation:
        if call.layout == "transposed":
            raise Refused("RuntimeError", "no such stride", when)
        return answer

    records = examine(replace(DISTANCE, reductions=("sum",)), Pretender(act), "float32", with_modes=False)
    [error] = [record for record in records if record.outcome != "agree"]
    assert (error.quantity, error.outcome, error.layout, error.reduction) == (
        quantity,
        "error",
        "transposed",
        "sum",
    )
    assert error.message == "raised RuntimeError: no such stride"
    assert error.detail is not None
    assert "input" in error.detail["inputs"]
    assert "transposed" in str(error.detail) or "permute" in error.detail["snippet"]
    assert ("autograd" in error.detail["snippet"]) is (quantity == "gradient")
    assert {record.layout for record in records} == {"contiguous", "transposed", "strided"}


def altered(**changes: Any) -> Pretender:
    return Pretender(lambda call, answer: replace(answer, **changes))


def test_a_value_of_another_dtype_is_wrong() -> None:
    records = examine(DISTANCE, altered(dtype="float64"), "float32")
    assert outcomes(records) >= {("value", "disagree"), ("gradient:input", "agree")}
    assert named(records, "value").message == "has dtype float64, should have float32"
    off = Pretender(lambda call, answer: replace(answer, value=answer.value + 1, dtype="float64"))
    assert "dtype" not in named(examine(DISTANCE, off, "float32"), "value").message


def test_a_call_that_changes_its_inputs_is_wrong() -> None:
    records = examine(DISTANCE, altered(changed=("input", "target")))
    assert named(records, "unchanged").outcome == "disagree"
    assert named(records, "unchanged").message == "the call changed its input: input, target"
    assert named(examine(DISTANCE), "unchanged").message == ""


def test_of_a_disagreement_both_sides_are_shown_and_a_program() -> None:
    def act(call: Call, answer: Observation) -> Observation:
        off = [{name: numbers + 1.5 for name, numbers in one.items()} for one in answer.gradients]
        return replace(answer, value=answer.value + 1.5, gradients=tuple(off))

    records = examine(replace(DISTANCE, reductions=("sum",)), Pretender(act))
    assert {outcome for quantity, outcome in outcomes(records) if quantity != "unchanged"} == {"disagree"}
    detail = named(records, "value").detail
    assert detail is not None
    assert (detail["expected"], detail["observed"]) == ("8.3125", "9.8125")
    assert "torch.nn.MSELoss" in detail["snippet"]
    detail = named(records, "vjp:target").detail
    assert detail is not None
    assert "autograd" in detail["snippet"]


def test_an_output_of_another_shape_has_no_gradients() -> None:
    wrong = Pretender(lambda call, answer: replace(answer, value=np.zeros(3), gradients=()))
    records = examine(replace(DISTANCE, reductions=("sum",)), wrong)
    assert outcomes(records) == {("value", "disagree"), ("unchanged", "agree")}
    detail = named(records, "value").detail
    assert detail is not None
    assert (detail["expected"], detail["observed"]) == ("shape []", "shape [3]: [0. 0. 0.]")


def test_an_empty_output_may_be_of_another_shape_or_dtype() -> None:
    """There is no worst element to show."""
    nothing = literal(np.empty((0, 2)))
    empty = case("MSELoss", {"input": nothing, "target": nothing}, reductions=("none",))
    assert {record.outcome for record in examine(empty)} == {"agree"}
    [value, *_] = examine(empty, altered(dtype="float16"))
    assert value.outcome == "disagree"


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


def test_the_reference_warns_in_its_own_words() -> None:
    own = SeenWarning(("ReferenceWarning", *USER), "anything")
    assert warning(own, name="reference").outcome == "agree"
    assert warning(SeenWarning(USER, "another"), own, name="reference").outcome == "agree"
    assert warning(own).outcome == "disagree"
    assert warning(SeenWarning(USER, "size 2"), name="reference").outcome == "disagree"


# Biases

DRAWN = Uniform(parse_numeral("0.25"), parse_numeral("0.75"), (1100,), 7)
BIASED = case("SelfInformation", {"p": DRAWN}, bias=True)


def leaning(value: float, ones: float, seeded: float) -> Pretender:
    """Its numbers are larger by these shares of a unit roundoff of float32."""

    def act(call: Call, answer: Observation) -> Observation:
        if not answer.gradients:
            return answer
        sets = zip(answer.gradients, (ones, seeded), strict=True)
        gradients = tuple(
            {name: numbers * (1 + share * 2.0**-24) for name, numbers in one.items()} for one, share in sets
        )
        return replace(answer, value=answer.value * (1 + value * 2.0**-24), gradients=gradients)

    return Pretender(act)


@pytest.mark.parametrize(
    ("shares", "wrong"),
    [
        ((0.0, 0.0, 0.0), set()),
        ((2.0, 0.0, 0.0), {"bias:value"}),
        ((0.0, 1.0, 0.0), set()),
        ((0.0, 0.0, 1.0), {"bias:p"}),
    ],
)
def test_errors_that_lean_to_one_side_are_a_bias(shares: tuple[float, float, float], wrong: set[str]) -> None:
    """Each is within its budget; of the gradients those by the seeded upstream gradient count."""
    records = examine(BIASED, leaning(*shares), "float32", with_modes=False)
    assert {record.quantity for record in records if record.quantity.startswith("bias")} == {
        "bias:value",
        "bias:p",
    }
    assert {record.quantity for record in records if record.outcome != "agree"} == wrong


def test_a_bias_needs_all_outputs_and_a_gradient_of_each() -> None:
    two = {"input": replace(DRAWN, shape=(1100, 2)), "target": literal(["0", "1"])}
    records = examine(case("MSELoss", two, bias=True))
    biases = [(one.reduction, one.quantity) for one in records if one.quantity.startswith("bias")]
    assert biases == [("none", "bias:value"), ("none", "bias:input")]
    scaled = case("BCELoss", {"input": DRAWN, "target": DRAWN}, bias=True)
    biases = [(one.reduction, one.quantity) for one in examine(scaled) if one.quantity.startswith("bias")]
    assert biases == [("none", "bias:value"), ("none", "bias:input"), ("none", "bias:target")]


def test_without_gradients_there_is_the_bias_of_the_value_alone() -> None:
    wrong = Pretender(lambda call, answer: replace(answer, value=np.zeros(3), gradients=()))
    records = examine(BIASED, wrong, "float32")
    assert outcomes(records) == {("value", "disagree"), ("bias:value", "disagree"), ("unchanged", "agree")}


# Identities

HALVES = tuple(
    Term(args={"input": literal([row]), "target": literal([other])})
    for row, other in ((["0.5", "-1"], ["1", "1"]), (["2", "0.25"], ["1", "2"]))
)
SUMMED = replace(DISTANCE, same_as=Identity(HALVES, ("sum",), "sums add up"))


def test_both_sides_of_an_identity_must_agree() -> None:
    records = [record for record in examine(SUMMED) if record.quantity == "same_as"]
    assert [(record.reduction, record.outcome, record.layout) for record in records] == [
        ("sum", "agree", "contiguous")
    ]
    everywhere = replace(SUMMED, same_as=Identity((Term(),), None, "it is itself"))
    records = [record for record in examine(everywhere) if record.quantity == "same_as"]
    assert [(record.reduction, record.outcome) for record in records] == [
        ("none", "agree"),
        ("mean", "agree"),
        ("sum", "agree"),
    ]


@pytest.mark.parametrize(("share", "agrees"), [(0.96, True), (1.04, False)])
def test_each_side_of_an_identity_may_use_up_its_budget(share: float, agrees: bool) -> None:
    planner = CallPlanner()
    bounds = {
        planned.call.args["input"].numbers.tobytes(): float(planned.truth.value.bound)
        for planned in (
            planner.plan(SUMMED, "float32", "sum"),
            *(planner.plan(SUMMED, "float32", "sum", str(place), term) for place, term in enumerate(HALVES)),
        )
    }

    def act(call: Call, answer: Observation) -> Observation:
        numbers = call.args["input"].numbers
        towards = 1 if len(numbers) == 2 else -1
        return replace(answer, value=answer.value + towards * share * 2 * bounds[numbers.tobytes()])

    one = replace(SUMMED, reductions=("sum",))
    record = named(examine(one, Pretender(act), "float32"), "same_as")
    assert record.error_over_budget == pytest.approx(share)
    assert (record.outcome == "agree") is agrees
    if not agrees:
        assert record.message == "the two sides differ by 1.04 of their common budget: sums add up"
        assert record.detail is not None
        assert {"expected", "observed", "snippet"} <= set(record.detail)


def test_what_must_differ_must_not_agree() -> None:
    own, other = Identity((Term(),), None, "why"), Identity((HALVES[0],), ("sum",), "why")
    [alike, *_] = [one for one in examine(replace(DISTANCE, differs_from=own)) if one.outcome != "agree"]
    assert (alike.quantity, alike.outcome) == ("differs_from", "disagree")
    assert alike.message == "both sides agree, but must not"
    records = examine(replace(DISTANCE, differs_from=other))
    unlike = named(records, "differs_from")
    assert (unlike.outcome, unlike.message, unlike.reduction) == ("agree", "", "sum")


def test_an_identity_whose_other_side_does_not_run_cannot_be_told() -> None:
    def raising(error: Exception) -> Pretender:
        def act(call: Call, answer: Observation) -> Observation:
            if len(call.args["input"].numbers) == 1:
                raise error
            return answer

        return Pretender(act)

    record = named(examine(SUMMED, raising(Unsupported("no kernel"))), "same_as")
    assert (record.outcome, record.message, record.reduction) == ("unsupported", "no kernel", "sum")
    record = named(examine(SUMMED, raising(Refused("RuntimeError", "no", "call"))), "same_as")
    assert (record.outcome, record.message, record.reduction) == (
        "error",
        "the other side raised RuntimeError: no",
        "sum",
    )


# Modes, and calls that are repeated


def plainly_again(mode: str, call: Call, answer: Observation, directions: Any) -> ModeObservation:
    """What ``twice`` and its like should yield."""
    return ModeObservation(answer.value, answer.dtype, answer.gradients[-1:])


def test_modes_are_examined_in_one_reduction_and_unless_told_otherwise() -> None:
    modal = Modal(("twice",), plainly_again)
    records = [record for record in examine(DISTANCE, modal) if record.quantity == "twice"]
    assert [(record.reduction, record.outcome) for record in records] == [("mean", "agree")]
    assert {call.layout for call in modal.calls} == {"contiguous"}
    assert all(record.quantity != "twice" for record in examine(DISTANCE, modal, with_modes=False))


def test_a_call_is_repeated_as_often_as_the_case_says() -> None:
    subject = Pretender()
    records = examine(replace(DISTANCE, reductions=("sum",), repeats=2), subject)
    assert [call.layout for call in subject.calls] == ["contiguous", "contiguous"]
    assert outcomes(records) == {
        (quantity, "agree")
        for quantity in ("value", "gradient:input", "gradient:target", "vjp:input", "vjp:target")
    }


def test_what_is_wrong_in_one_of_two_runs_disagrees() -> None:
    subject = Pretender()
    subject.act = lambda call, answer: replace(answer, value=answer.value + len(subject.calls) - 1)
    record = named(examine(replace(DISTANCE, reductions=("sum",), repeats=2), subject), "value")
    assert (record.outcome, record.reduction) == ("disagree", "sum")
    assert record.message == "not right in every one of 2 runs of the same call"
    assert record.detail is not None
    assert "torch.nn.MSELoss" in record.detail["snippet"]


def test_of_a_gradient_that_is_wrong_in_one_of_two_runs_the_snippet_knows_the_right_numbers() -> None:
    subject = Pretender()

    def act(call: Call, answer: Observation) -> Observation:
        plain, seeded = answer.gradients
        return replace(answer, gradients=(plain | {"input": plain["input"] + len(subject.calls) - 1}, seeded))

    subject.act = act
    record = named(examine(replace(DISTANCE, reductions=("sum",), repeats=2), subject), "gradient:input")
    assert record.detail is not None
    namespace: dict[str, Any] = {}
    exec(record.detail["snippet"], namespace)
    assert str(namespace["result"].flatten().tolist()) in record.detail["snippet"]


def test_a_repeated_call_that_raises_is_an_error_once() -> None:
    [record] = examine(
        replace(DISTANCE, reductions=("sum",), repeats=2), Refusing(Refused("RuntimeError", "no", "call"))
    )
    assert (record.quantity, record.outcome, record.message) == ("value", "error", "raised RuntimeError: no")
