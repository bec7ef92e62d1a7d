"""``run``: a loss on numbers typed in, its proven value, and torch's answer beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossproof.command_line.corpus import find_loss
from lossproof.command_line.showing import say_steps
from lossproof.command_line.terminal import BAD, GOOD, HEADING, QUIET, Cell, Mistake, progress, say, say_table
from lossproof.command_line.typed import TypedCall, read_call
from lossproof.command_line.values import Digits, case_value, gradient_digits, value_digits
from lossproof.command_line.written import nested
from lossproof.corpus.case import Case
from lossproof.corpus.complaints import suggestion
from lossproof.corpus.lint import lint_rounding
from lossproof.corpus.tensors import Complex
from lossproof.judging.calls import CallPlanner, PlannedCall, reductions_of
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import Verdict, budget_shares, compare
from lossproof.numbers.formats import FORMATS, Float64Array, Format
from lossproof.reference.refusals import Refusal
from lossproof.reference.worked import formula_of, worked_steps
from lossproof.reporting.text import share
from lossproof.subjects import find_subject
from lossproof.subjects.call import Observation, Refused, Unsupported
from lossproof.subjects.careful import Careful

_DIGITS = 20
_MOST_NUMBERS = 60
_COMPLEX_DTYPES = ("float64", "float32")


def run(name: str, tokens: Sequence[str], dtype: str, with_steps: bool) -> bool:
    """Write the value and the gradients of a call, proven and by torch; whether torch agrees."""
    loss = find_loss(name)
    if dtype not in FORMATS:
        raise Mistake(f"there is no dtype '{dtype}'; {suggestion(dtype, FORMATS)}")
    typed = read_call(loss, tokens)
    case = _case(typed, dtype)
    reduction = reductions_of(case)[0]
    with progress(f"computing {loss.name}"):
        planned = _planned(case, dtype, reduction)
        answer = _asked(planned)
        proven = {"value": value_digits(planned.prepared, _DIGITS)} | {
            f"gradient by {name}": gradient_digits(planned.prepared, name, _DIGITS)
            for name in planned.prepared.differentiable
        }
    say(", ".join(filter(None, (loss.name, reduction and f"reduction {reduction}", dtype))), HEADING)
    say(formula_of(loss))
    if lint_rounding(case):
        as_typed = nested(*case_value(case, reduction, _DIGITS), _MOST_NUMBERS)
        say(f"{dtype} cannot hold every number and takes rounded ones; as typed, the value is {as_typed}.")
    truths = {"value": planned.truth.value} | {
        f"gradient by {name}": truth for name, truth in (planned.truth.gradients or ({},))[0].items()
    }
    verdicts = [
        _say_quantity(quantity, proven[quantity], truth, answer.numbers(quantity), dtype)
        for quantity, truth in truths.items()
    ]
    if with_steps:
        say_steps(reduction, worked_steps(planned.prepared))
    say()
    return _say_verdict(answer, verdicts)


class _Answer:
    """What torch said: numbers, or why there are none."""

    def __init__(self, subject: Careful, version: str, observation: Observation | None, reason: str) -> None:
        self.name = f"{subject.name} {version}"
        self.observation = observation
        self.reason = reason

    def numbers(self, quantity: str) -> Float64Array | None:
        if self.observation is None:
            return None
        if quantity == "value":
            return self.observation.value
        gradients = self.observation.gradients
        return gradients[0][quantity.removeprefix("gradient by ")] if gradients else None


def _case(typed: TypedCall, dtype: str) -> Case:
    if any(isinstance(tensor, Complex) for tensor in typed.args.values()) and dtype not in _COMPLEX_DTYPES:
        raise Mistake(f"no complex number has parts of {dtype}; take --dtype float64 or float32")
    reductions = (typed.reduction or "mean",) if typed.loss.reductions else None
    return Case(
        id="typed",
        title="typed in",
        loss=typed.loss.name,
        file="the command line",
        line=1,
        params=typed.params,
        args=typed.args,
        reductions=reductions,
        dtypes=(dtype,),
    )


def _planned(case: Case, dtype: str, reduction: str | None) -> PlannedCall:
    try:
        return CallPlanner().plan(case, dtype, reduction)
    except Refusal as refusal:
        raise Mistake(f"{case.loss} refuses this call ({refusal.kind}): {refusal}") from refusal


def _asked(planned: PlannedCall) -> _Answer:
    """Torch's function on the call, or its module where there is no function."""
    wrt = planned.prepared.differentiable
    call = replace(planned.call, upstreams=planned.truth.upstreams[:1], wrt=wrt)
    for name in ("torch.nn.functional", "torch.nn"):
        found = find_subject(name)
        subject = Careful(found)
        try:
            return _Answer(subject, found.version(), subject.run(call), "")
        except Unsupported as unsupported:
            answer = _Answer(subject, found.version(), None, f"cannot do it: {unsupported}")
        except Refused as refused:
            return _Answer(subject, found.version(), None, f"raises {refused.type}: {refused}")
    return answer


def _say_quantity(
    quantity: str, proven: Digits, truth: Truth, observed: Float64Array | None, dtype: str
) -> Verdict | None:
    """Write a quantity, a number a line; the verdict where torch has numbers."""
    texts, shape = proven
    verdict = None if observed is None else compare(observed, truth)
    shares = None
    if observed is not None and observed.shape == truth.value.shape:
        shares = budget_shares(observed, truth)
    rows: list[tuple[Cell, ...]] = [
        tuple(
            (heading, QUIET)
            for heading in (quantity, "true value", f"torch, {dtype}", "error / budget", "budget")
        )
    ]
    for place, text in zip(np.ndindex(shape), texts[:_MOST_NUMBERS], strict=False):
        cells: list[Cell] = [f"  [{', '.join(map(str, place))}]" if place else "", text]
        budget = "exact" if truth.bound[place] == 0 else f"{2 * float(truth.bound[place]):.3g}"
        if shares is None or observed is None:
            rows.append((*cells, "", "", budget))
        else:
            used = float(shares[place])
            style = GOOD if used <= 1 else BAD
            rows.append(
                (*cells, shortest(float(observed[place]), FORMATS[dtype]), (share(used), style), budget)
            )
    if len(texts) > _MOST_NUMBERS:
        rows.append((f"  ... and {len(texts) - _MOST_NUMBERS:,} more", "", "", "", ""))
    if not texts:
        rows.append(("  no numbers", "", "", "", ""))
    say()
    say_table(rows)
    return verdict


def _say_verdict(answer: _Answer, verdicts: Sequence[Verdict | None]) -> bool:
    if answer.observation is None:
        say(f"{answer.name} {answer.reason}", BAD)
        return False
    wrong = [verdict.message for verdict in verdicts if verdict is not None and not verdict.agrees]
    if wrong:
        say(f"{answer.name} disagrees: " + "; ".join(wrong), BAD)
    if (failed := answer.observation.failed) is not None:
        said = f"raises {failed.type}" if isinstance(failed, Refused) else "cannot do it"
        say(f"{answer.name} {said} in its backward pass: {failed}", BAD)
    if wrong or failed is not None:
        return False
    say(f"{answer.name} agrees: no number is off by more than its budget", GOOD)
    return True


def shortest(value: float, format: Format) -> str:
    """The shortest decimal that the format rounds to this number of its own."""
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if float(format.round(float(text))) == value:
            return text
    return repr(value)
