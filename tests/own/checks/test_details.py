"""What the details of a failing check hold beside its verdict; their programs run on a right torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from snippet_runs import outcome_of_snippet

from lossproof.checks import bias, identities, module_claims, refusals, repeats, unchanged, warnings
from lossproof.corpus.case import Case, Drifted, ModuleClaim, Raised
from lossproof.judging import details
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import FORMATS
from lossproof.records.record import Detail
from lossproof.subjects.call import Call, Values
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.program import Program, Programs
from lossproof.subjects.registry import find_subject

PAIR = {"input": Values(np.array([1.0, 2.0]), "float64"), "target": Values(np.array([0.0, 4.0]), "float64")}
CALL = Call("MSELoss", {}, PAIR, "none", "float64", upstreams=(np.ones(2),) * 2, wrt=("input", "target"))
TOTAL = Call("MSELoss", {}, PAIR, "sum", "float64")
AVERAGE = Call("MSELoss", {}, PAIR, "average", "float64")
# Of the same value as the total.
SWAPPED = Call("MSELoss", {}, {"input": PAIR["target"], "target": PAIR["input"]}, "sum", "float64")
INPUTS = "input = float64 [1.0, 2.0]\ntarget = float64 [0.0, 4.0]"
FUNCTION, MODULE, REFERENCE = (
    GuardedSubject(find_subject(name)).programs for name in ("torch.nn.functional", "torch.nn", "reference")
)


def truth(*numbers: float) -> Truth:
    true = np.array(numbers if len(numbers) > 1 else numbers[0])
    return Truth(true, np.zeros(true.shape), np.full(true.shape, 1e-12), true != true, FORMATS["float64"])


def outcome(told: Detail, reduction: str = "none") -> str:
    """What the program of a detail does, which has to show the call as well."""
    assert (told["inputs"], told["params"]) == (INPUTS, f"reduction = {reduction!r}")
    return outcome_of_snippet(told["snippet"])


def claim(expected: str, drifted: Drifted | None = None) -> Case:
    module = ModuleClaim("repr", expected)
    return Case("one", "a module", "MSELoss", "cases/x.yaml", 3, module=module, drifted=drifted)


def test_of_a_module_both_sides_are_told() -> None:
    told = module_claims.detail(MODULE, claim("MSELoss()"), {}, "MSELoss(x)")
    assert (told["expected"], told["observed"]) == ("MSELoss()", "MSELoss(x)")
    assert outcome_of_snippet(told["snippet"]) == "passes"
    assert set(module_claims.detail(MODULE, claim("MSELoss()"), {})) == {"snippet"}
    told = module_claims.detail(MODULE, claim("MSELoss(x)"), {}, "MSELoss()")
    assert outcome_of_snippet(told["snippet"]) == "AssertionError"


def test_of_a_module_that_drifted_what_it_was_must_not_be() -> None:
    for was, then in (("MSELoss()", "AssertionError"), ("MSELoss(x)", "passes")):
        told = module_claims.detail(MODULE, claim("MSELoss()", Drifted(was, "1.0")), {}, "MSELoss()")
        assert outcome_of_snippet(told["snippet"]) == then


@pytest.mark.parametrize(
    ("size", "shown"),
    [(60, "input = float64 [0.0, 1.0, 2.0, "), (61, "input = float64 [61], from 0 to 60")],
)
def test_of_more_than_sixty_numbers_the_shape_and_the_range_are_told(size: int, shown: str) -> None:
    many = {"input": Values(np.arange(float(size)), "float64")}
    told = details.describe(Call("LogSoftmax", {"dim": 0}, many, None, "float64"))
    assert told["inputs"].startswith(shown)
    assert told["params"] == "dim = 0"


def test_of_an_error_the_program_makes_the_same_quantity() -> None:
    assert outcome(details.error_detail(FUNCTION, AVERAGE), "average") == "ValueError"
    assert outcome(details.error_detail(FUNCTION, CALL)) == "passes"
    assert "autograd.grad" not in details.error_detail(FUNCTION, CALL)["snippet"]
    assert "autograd.grad" in details.error_detail(FUNCTION, CALL, "gradient")["snippet"]


@pytest.mark.parametrize(
    ("wanted", "then"),
    [
        (Raised("option", "call", "ValueError", "not a valid value"), "passes"),
        (Raised("option", "call", "TypeError", "not a valid value"), "AssertionError"),
        (Raised("option", "call", "ValueError", "no such words"), "AssertionError"),
    ],
)
def test_of_a_refusal_the_program_demands_its_type_and_its_words(wanted: Raised, then: str) -> None:
    assert outcome(refusals.detail(FUNCTION, AVERAGE, wanted), "average") == then


def test_of_a_refusal_the_program_demands_its_time() -> None:
    """A module takes any word for a reduction, until it is called."""
    for when, then in (("call", "passes"), ("construct", "AssertionError")):
        wanted = Raised("option", when, "ValueError", "not a valid value")
        assert outcome(refusals.detail(MODULE, AVERAGE, wanted), "average") == then


def test_of_a_refusal_by_the_reference_the_program_demands_its_kind() -> None:
    for kind, then in (("option", "passes"), ("shape", "AssertionError")):
        wanted = Raised(kind, "call", "ValueError", "not a valid value")
        assert outcome(refusals.detail(REFERENCE, AVERAGE, wanted), "average") == then


@pytest.mark.parametrize(
    ("type", "match", "then"),
    [
        ("UserWarning", "target size", "passes"),
        ("FutureWarning", "target size", "AssertionError"),
        ("UserWarning", "no such words", "AssertionError"),
    ],
)
def test_of_a_warning_the_program_demands_its_type_and_its_words(type: str, match: str, then: str) -> None:
    column = {"input": Values(np.ones((2, 1)), "float64"), "target": PAIR["target"]}
    call = Call("MSELoss", {}, column, "none", "float64")
    told = warnings.detail(FUNCTION, call, Raised("shape", "call", type, match))
    assert told["inputs"] == "input = float64 [[1.0], [1.0]]\ntarget = float64 [0.0, 4.0]"
    assert outcome_of_snippet(told["snippet"]) == then


def test_of_a_warning_of_the_reference_the_program_demands_its_kind() -> None:
    column = {"input": Values(np.ones((2, 1)), "float64"), "target": PAIR["target"]}
    call = Call("MSELoss", {}, column, "none", "float64")
    for kind, then in (("shape", "passes"), ("option", "AssertionError")):
        told = warnings.detail(REFERENCE, call, Raised(kind, "call", "UserWarning", "no such words"))
        assert outcome_of_snippet(told["snippet"]) == then


def test_of_a_change_the_program_looks_at_what_it_gave() -> None:
    told = unchanged.detail(FUNCTION, CALL)
    assert outcome(told) == "passes"
    assert "assert not changed" in told["snippet"]


def test_of_repeats_each_quantity_has_its_own_truth() -> None:
    for quantity, right, wrong in (
        ("value", truth(1.0, 4.0), truth(1.0, 4.1)),
        ("gradient:input", truth(2.0, -4.0), truth(1.0, 4.0)),
    ):
        told = repeats.detail(FUNCTION, CALL, quantity, 7, right)
        assert "in range(7)" in told["snippet"]
        assert outcome(told) == "passes"
        assert outcome(repeats.detail(FUNCTION, CALL, quantity, 7, wrong)) == "AssertionError"


def test_of_a_bias_the_program_is_about_the_quantity_that_leans() -> None:
    for quantity, true in (("value", truth(1.0, 4.0)), ("gradient:target", truth(-2.0, 4.0))):
        off = true.value + 1e-12
        assert outcome(bias.detail(FUNCTION, CALL, quantity, off, true)) == "passes"
        leaning = Truth(off, true.remainder, true.bound, true.overflows, true.format)
        assert outcome(bias.detail(FUNCTION, CALL, quantity, true.value, leaning)) == "AssertionError"


def test_of_an_identity_that_cannot_be_told_the_program_makes_all_sides() -> None:
    sides = [(TOTAL, truth(5.0)), (SWAPPED, truth(5.0)), (AVERAGE, truth(5.0))]
    assert outcome(identities.error_detail(FUNCTION, sides[:2]), "sum") == "passes"
    assert outcome(identities.error_detail(FUNCTION, sides), "sum") == "ValueError"


def test_two_sides_that_must_be_the_same_are_told() -> None:
    five, ten, bound = np.array(5.0), np.array(10.0), np.array(1e-12)
    twice = [(TOTAL, truth(5.0)), (SWAPPED, truth(5.0))]
    told = identities.sameness_detail(FUNCTION, twice, five, ten, bound)
    assert (told["expected"], told["observed"]) == ("10.0", "5.0")
    assert outcome(told, "sum") == "passes"
    thrice = [(TOTAL, truth(5.0)), *[(SWAPPED, truth(5.0))] * 2]
    told = identities.sameness_detail(FUNCTION, thrice, five, ten, bound)
    assert outcome(told, "sum") == "AssertionError"
    assert told["snippet"].count("assert result.shape") == 3
    shapeless = [(TOTAL, truth(5.0)), (TOTAL, truth(1.0, 4.0))]
    assert (
        outcome(identities.sameness_detail(FUNCTION, shapeless, five, ten, bound), "sum") == "AssertionError"
    )


def test_two_sides_that_must_differ_are_told() -> None:
    ten = np.array(10.0)
    thrice = [(TOTAL, truth(5.0)), *[(SWAPPED, truth(5.0))] * 2]
    told = identities.difference_detail(FUNCTION, thrice, ten)
    assert told["observed"] == "10.0"
    assert "expected" not in told
    assert outcome(told, "sum") == "passes"
    twice = [(TOTAL, truth(5.0)), (SWAPPED, truth(5.0))]
    assert outcome(identities.difference_detail(FUNCTION, twice, ten), "sum") == "AssertionError"


class OfLists(Programs):
    """Programs of a library of plain lists that refuses nothing, and warns of what it doubts."""

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        library = (
            "class Doubt(UserWarning):",
            "    kind = 'shape'",
            "def total(numbers):",
            "    warnings.warn(Doubt('of ' + str(numbers.pop())))",
            "    return sum(numbers)",
        )
        return Program((), {"input": ("input = [1, 2]",)}, library, ("result = total(input)",))


@pytest.mark.filterwarnings("ignore:of 2")
def test_a_subject_of_no_tensors_at_all_is_told_of_in_its_own_programs() -> None:
    programs = OfLists()
    shown = details.error_detail(programs, CALL)["snippet"]
    assert shown.startswith("import warnings\ninput = [1, 2]\nclass Doubt")
    assert "torch" not in shown
    assert outcome_of_snippet(shown) == "passes"
    wanted = Raised("shape", "call", "ValueError", "words")
    assert outcome_of_snippet(refusals.detail(programs, CALL, wanted)["snippet"]) == "AssertionError"


def test_the_kinds_that_a_subject_names_are_demanded_by_its_programs() -> None:
    class Kinds(OfLists):
        def of_call(self, call: Call, quantity: str = "value") -> Program:
            return replace(super().of_call(call, quantity), names_kinds=True)

    for kind, then in (("shape", "passes"), ("option", "AssertionError")):
        told = warnings.detail(Kinds(), CALL, Raised(kind, "call", "OtherWarning", "other words"))
        assert outcome_of_snippet(told["snippet"]) == then
