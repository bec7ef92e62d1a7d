"""``run``: a loss on numbers typed in, with its proven value and torch's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from lossproof.command_line.call_defects import defects_of_call
from lossproof.command_line.case_text import nested
from lossproof.command_line.corpus import find_loss, read_corpus
from lossproof.command_line.showing import say_formula, say_steps
from lossproof.command_line.terminal import BAD, GOOD, HEADING, QUIET, Cell, Mistake, progress, say, say_table
from lossproof.command_line.typed_call import TypedCall, read_call
from lossproof.command_line.values import Digits, case_value, gradient_digits, value_digits
from lossproof.corpus.case import Case
from lossproof.corpus.complaints import suggestion
from lossproof.corpus.files import default_corpus
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.picks import picks_of
from lossproof.corpus.reading import load_picks
from lossproof.corpus.tensors import Complex
from lossproof.corpus.upstreams import lint_upstream
from lossproof.judging.assertions import all_numbers_assertion, quantity_assertion
from lossproof.judging.calls import CallPlanner, PlannedCall, is_rounded, reductions_of
from lossproof.judging.choices import judge_by_picks
from lossproof.judging.excuses import passes_by_overflow
from lossproof.judging.number_text import shortest, significant
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, budget_shares, compare
from lossproof.numbers.formats import FORMATS, PARTS, Float64Array
from lossproof.records.quantity import Quantity
from lossproof.reference.conventions import picking
from lossproof.reference.refusals import Refusal
from lossproof.reference.worked import worked_steps
from lossproof.subjects.call import Observation, Refused, Unsupported
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.registry import default_subjects, find_subject
from lossproof.subjects.subject import Subject

_DIGITS = 20
_MOST_NUMBERS = 60
_KINDS = {"defect": "known defect", "convention": "convention of torch's", "undefined": "undefined result"}


ALL = "all"  # in the place of a dtype


def run(name: str, tokens: Sequence[str], dtype: str, with_steps: bool, with_snippet: bool) -> bool:
    """Write the value and the gradients of a call, proven and by torch, and return whether torch agrees.

    The proof follows torch's conventions where the formula leaves a choice. In all dtypes, torch agrees if it
    does in each that it can compute in.
    """
    loss = find_loss(name)
    try:
        subject = next(one for one in map(find_subject, default_subjects()) if one.illustrates(loss.name))
    except ModuleNotFoundError as missing:
        problem = f"run shows torch beside the truth, and {missing.name} is not installed"
        raise Mistake(f"{problem}; install it, or look at a case with 'explain'") from missing
    with picking(picks_of(load_picks(default_corpus(Path())), subject.name, subject.version())):
        typed_call = read_call(loss, tokens, elsewhere=("dtype", "steps", "snippet"))
        dtypes = _dtypes(typed_call, dtype)
        say_formula(loss)
        results = [_run(typed_call, subject, one, with_steps, with_snippet) for one in dtypes]
        if False in results and not with_snippet:
            say("For a program of torch alone that shows it, add --snippet.", QUIET)
        is_right = [result for result in results if result is not None]
        return bool(is_right) and all(is_right)


def _dtypes(typed_call: TypedCall, dtype: str) -> list[str]:
    if dtype == ALL:
        is_real = not _is_complex(typed_call)
        usual = (one for one in FORMATS.values() if one.is_default)
        return [one.name for one in usual if is_real or one.complex_dtype is not None]
    if dtype not in FORMATS:
        raise Mistake(f"there is no dtype '{dtype}'; {suggestion(dtype, [*FORMATS, ALL])}")
    return [dtype]


def _run(
    typed_call: TypedCall, subject: Subject, dtype: str, with_steps: bool, with_snippet: bool
) -> bool | None:
    """Write everything about one dtype; returns whether torch agrees, or None if it lacks the dtype."""
    loss, case = typed_call.loss, _case(typed_call, dtype)
    reduction = reductions_of(case)[0]
    with progress(f"computing {loss.name}"):
        plan = _plan(case, dtype, reduction)
        answer = _ask(subject, plan)
        digits = {"value": value_digits(plan.prepared, _DIGITS)} | {
            f"gradient by {name}": gradient_digits(plan.prepared, plan.truth.upstreams[0], name, _DIGITS)
            for name in plan.prepared.differentiable
        }
    say()
    say(", ".join(filter(None, (loss.name, reduction and f"reduction {reduction}", dtype))), HEADING)
    if is_rounded(case, reduction, dtype):
        as_typed = nested(*case_value(case, reduction, _DIGITS, dtype), _MOST_NUMBERS)
        say(f"{dtype} cannot hold every number and takes rounded ones; as typed, the value is {as_typed}.")
    for name, value in case.params.items():
        if isinstance(value, Numeral) and isinstance(value.exact, Fraction) and value.exact != float(value):
            say(f"{name} is the float64 nearest to {value.text}: torch takes parameters in double precision.")
    truths = {"value": plan.truth.value} | {
        f"gradient by {name}": truth for name, truth in (plan.truth.gradients or ({},))[0].items()
    }
    verdicts = {
        quantity: _say_quantity(quantity, digits[quantity], truth, answer.numbers(quantity), dtype)
        for quantity, truth in truths.items()
    }
    if with_steps:
        say_steps(reduction, worked_steps(plan.prepared))
    say()
    agrees = _say_verdict(answer, verdicts)
    wrong = [name for name, verdict in verdicts.items() if verdict is None or not verdict.agrees]
    if not agrees:
        _say_known_defects(plan, wrong, answer)
    if with_snippet:
        # Whoever types an upstream gradient wants to see the gradients that it gives.
        usual = "value" if typed_call.upstream is None else list(truths)[1]
        _say_snippet(subject, plan, answer, (*wrong, usual)[0], is_wrong=bool(wrong))
    return None if answer.is_unsupported else agrees


class _Answer:
    """Torch's answer: numbers, or the reason why there are none."""

    def __init__(
        self,
        subject: Subject,
        observation: Observation | None,
        reason: str = "",
        *,
        is_unsupported: bool = False,
    ) -> None:
        self.subject = subject.name
        self.version = subject.version()
        self.name = f"{self.subject} {self.version}"
        self.observation = observation
        self.reason = reason
        self.is_unsupported = is_unsupported

    def numbers(self, quantity: str) -> Float64Array | None:
        if self.observation is None:
            return None
        if quantity == "value":
            return self.observation.value
        gradients = self.observation.gradients
        return gradients[0][quantity.removeprefix("gradient by ")] if gradients else None


def _case(typed_call: TypedCall, dtype: str) -> Case:
    if _is_complex(typed_call) and FORMATS[dtype].complex_dtype is None:
        raise Mistake(f"no complex number has parts of {dtype}; take --dtype {' or '.join(PARTS.values())}")
    reductions = (typed_call.reduction or "mean",) if typed_call.loss.reductions else None
    case = Case(
        id="typed",
        title="typed in",
        loss=typed_call.loss.name,
        file="the command line",
        line=1,
        params=typed_call.params,
        args=typed_call.args,
        upstream=typed_call.upstream,
        reductions=reductions,
        dtypes=(dtype,),
    )
    if complaints := lint_upstream(case):
        raise Mistake("\n".join(f"{one.problem}; {one.remedy}" for one in complaints))
    return case


def _is_complex(typed_call: TypedCall) -> bool:
    return any(isinstance(tensor, Complex) for tensor in typed_call.args.values())


def _plan(case: Case, dtype: str, reduction: str | None) -> PlannedCall:
    try:
        return CallPlanner().plan(case, dtype, reduction)
    except Refusal as refusal:
        raise Mistake(f"{case.loss} refuses this call ({refusal.kind}): {refusal}") from refusal


def _ask(subject: Subject, plan: PlannedCall) -> _Answer:
    call = replace(plan.call, upstreams=plan.truth.upstreams[:1])
    try:
        return _Answer(subject, GuardedSubject(subject).run(call))
    except Unsupported as unsupported:
        return _Answer(subject, None, f"cannot do it: {unsupported}", is_unsupported=True)
    except Refused as refused:
        return _Answer(subject, None, f"raises {refused.type}: {refused}")


def _say_quantity(
    quantity: str, digits: Digits, truth: Truth, observed: Float64Array | None, dtype: str
) -> Verdict | None:
    """Write a quantity, one number per line; returns the verdict, or None if torch has no numbers."""
    texts, shape = digits
    verdict = None if observed is None else judge_by_picks(truth, partial(compare, observed))
    shares = None
    if observed is not None and observed.shape == truth.value.shape:
        shares, has_overflown = budget_shares(observed, truth), passes_by_overflow(observed, truth)
    headings = (quantity, "true value", f"torch, {dtype}", "error / budget", "budget")
    rows: list[tuple[Cell, ...]] = [tuple((heading, QUIET) for heading in headings)]
    for place, text in zip(np.ndindex(shape), texts[:_MOST_NUMBERS], strict=False):
        cells: list[Cell] = [f"  [{', '.join(map(str, place))}]" if place else "", text]
        budget = "exact" if truth.bound[place] == 0 else significant(2 * float(truth.bound[place]), 3)
        if shares is None or observed is None:
            rows.append((*cells, "", "", budget))
        else:
            used = float(shares[place])
            share: Cell = (significant(used, 3), GOOD if used <= 1 else BAD)
            if has_overflown[place]:
                share = ("overflowed", HEADING)
            rows.append((*cells, shortest(float(observed[place]), FORMATS[dtype]), share, budget))
    if len(texts) > _MOST_NUMBERS:
        rows.append((f"  ... and {len(texts) - _MOST_NUMBERS:,} more", "", "", "", ""))
    if not texts:
        rows.append(("  no numbers", "", "", "", ""))
    say()
    say_table(rows)
    return verdict


def _say_verdict(answer: _Answer, verdicts: Mapping[str, Verdict | None]) -> bool:
    if answer.observation is None:
        say(f"{answer.name} {answer.reason}", BAD)
        return False
    present = {quantity: verdict for quantity, verdict in verdicts.items() if verdict is not None}
    if wrong := [verdict.message for verdict in present.values() if not verdict.agrees]:
        say(f"{answer.name} disagrees: " + "; ".join(wrong), BAD)
    if (error := answer.observation.failure) is not None:
        failure = f"raises {error.type}" if isinstance(error, Refused) else "cannot do it"
        say(f"{answer.name} {failure} in its backward pass: {error}", BAD)
    if wrong or error is not None:
        return False
    if by_rule := [f"{quantity} {verdict.message}" for quantity, verdict in present.items() if verdict.rule]:
        say(f"{answer.name} passes, but not by all of its numbers:", HEADING)
        for sentence in by_rule:
            say(f"  {sentence}")
        return True
    say(f"{answer.name} agrees: no number is off by more than its budget", GOOD)
    return True


def _say_known_defects(plan: PlannedCall, wrong: Sequence[str], answer: _Answer) -> None:
    """Write the known defects of this call."""
    quantities = [quantity.replace("gradient by ", "gradient:") for quantity in wrong]
    defects = defects_of_call(plan, quantities, answer.subject, answer.version, read_corpus(None))
    for defect in defects:
        where = f" ({defect.link})" if defect.link else ""
        say(f"This is on record, as a {_KINDS[defect.kind]}: case {defect.case}: {defect.why}{where}")


def _say_snippet(subject: Subject, plan: PlannedCall, answer: _Answer, name: str, is_wrong: bool) -> None:
    """Write a program of torch and plain numbers that makes the call; it fails as long as torch is wrong."""
    quantity = Quantity(name.replace("gradient by ", "gradient:"))
    truth = plan.truth.gradients[0][quantity.argument] if quantity.argument else plan.truth.value
    assert subject.programs is not None  # every subject of torch has them
    program = subject.programs.of_call(plan.call, quantity)
    say()
    say(f"a program of this call, for its {name}", HEADING)
    say(program.text(*_assertions(truth, answer.numbers(name), is_wrong, plan.call.dtype)).rstrip())


def _assertions(truth: Truth, observed: Float64Array | None, is_wrong: bool, dtype: str) -> list[str]:
    if is_wrong and observed is not None:
        return quantity_assertion(observed, truth, dtype)
    # Where an overflow is excused, or the numbers are many, the program only prints them.
    is_short = truth.value.size <= _MOST_NUMBERS and not np.any(truth.overflows)
    return all_numbers_assertion(truth) if is_short else []
