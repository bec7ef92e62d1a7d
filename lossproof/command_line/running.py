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
from lossproof.command_line.showing import say_steps
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
from lossproof.judging.calls import CallPlanner, PlannedCall, is_rounded, reductions_of
from lossproof.judging.choices import judge_by_picks
from lossproof.judging.excuses import passes_by_overflow
from lossproof.judging.number_text import shortest, significant
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, budget_shares, compare
from lossproof.numbers.formats import FORMATS, PARTS, Float64Array
from lossproof.reference.conventions import picking
from lossproof.reference.loss import Loss
from lossproof.reference.refusals import Refusal
from lossproof.reference.worked import formula_of, worked_steps
from lossproof.subjects.call import Observation, Refused, Unsupported
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.registry import default_subjects, find_subject
from lossproof.subjects.subject import Subject

_DIGITS = 20
_MOST_NUMBERS = 60
_KINDS = {"defect": "known defect", "convention": "convention of torch's", "undefined": "undefined result"}


def run(name: str, tokens: Sequence[str], dtype: str, with_steps: bool) -> bool:
    """Write the value and the gradients of a call, proven and by torch, and return whether torch agrees.

    The proof follows torch's conventions where the formula leaves a choice.
    """
    loss = find_loss(name)
    try:
        subject = next(one for one in map(find_subject, default_subjects()) if one.illustrates(loss.name))
    except ModuleNotFoundError as missing:
        problem = f"run shows torch beside the truth, and {missing.name} is not installed"
        raise Mistake(f"{problem}; install it, or look at a case with 'explain'") from missing
    with picking(picks_of(load_picks(default_corpus(Path())), subject.name, subject.version())):
        return _run(loss, subject, tokens, dtype, with_steps)


def _run(loss: Loss, subject: Subject, tokens: Sequence[str], dtype: str, with_steps: bool) -> bool:
    if dtype not in FORMATS:
        raise Mistake(f"there is no dtype '{dtype}'; {suggestion(dtype, FORMATS)}")
    typed_call = read_call(loss, tokens)
    case = _case(typed_call, dtype)
    reduction = reductions_of(case)[0]
    with progress(f"computing {loss.name}"):
        plan = _plan(case, dtype, reduction)
        answer = _ask(subject, plan)
        digits = {"value": value_digits(plan.prepared, _DIGITS)} | {
            f"gradient by {name}": gradient_digits(plan.prepared, name, _DIGITS)
            for name in plan.prepared.differentiable
        }
    say(", ".join(filter(None, (loss.name, reduction and f"reduction {reduction}", dtype))), HEADING)
    say(formula_of(loss))
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
    if _say_verdict(answer, verdicts):
        return True
    wrong = [name for name, verdict in verdicts.items() if verdict is None or not verdict.agrees]
    _say_known_defects(plan, wrong, answer)
    return False


class _Answer:
    """Torch's answer: numbers, or the reason why there are none."""

    def __init__(self, subject: Subject, observation: Observation | None, reason: str = "") -> None:
        self.subject = subject.name
        self.version = subject.version()
        self.name = f"{self.subject} {self.version}"
        self.observation = observation
        self.reason = reason

    def numbers(self, quantity: str) -> Float64Array | None:
        if self.observation is None:
            return None
        if quantity == "value":
            return self.observation.value
        gradients = self.observation.gradients
        return gradients[0][quantity.removeprefix("gradient by ")] if gradients else None


def _case(typed_call: TypedCall, dtype: str) -> Case:
    is_complex = any(isinstance(tensor, Complex) for tensor in typed_call.args.values())
    if is_complex and FORMATS[dtype].complex_dtype is None:
        raise Mistake(f"no complex number has parts of {dtype}; take --dtype {' or '.join(PARTS.values())}")
    reductions = (typed_call.reduction or "mean",) if typed_call.loss.reductions else None
    return Case(
        id="typed",
        title="typed in",
        loss=typed_call.loss.name,
        file="the command line",
        line=1,
        params=typed_call.params,
        args=typed_call.args,
        reductions=reductions,
        dtypes=(dtype,),
    )


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
        return _Answer(subject, None, f"cannot do it: {unsupported}")
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
