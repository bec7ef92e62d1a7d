"""``show`` and ``explain``: all that is known about a case, and how its numbers come about."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from textwrap import indent

import numpy as np

from lossproof.checks.certification import certify
from lossproof.command_line.case_text import case_text, nested
from lossproof.command_line.corpus import find_case
from lossproof.command_line.terminal import BAD, GOOD, HEADING, QUIET, Mistake, Row, progress, say, say_table
from lossproof.command_line.values import Digits, best_reduction, case_gradient, case_value
from lossproof.corpus.case import Case, Identity, KnownDefect, Raised
from lossproof.judging.calls import CallPlanner, make_call, prepare_call, reductions_of
from lossproof.judging.number_text import significant
from lossproof.judging.truth import Truth
from lossproof.numbers.ball import Undecided
from lossproof.numbers.formats import FORMATS
from lossproof.records.outcome import Outcome
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import PreparedCall
from lossproof.reference.loss import Loss
from lossproof.reference.refusals import Refusal
from lossproof.reference.symbols import symbols_of
from lossproof.reference.worked import formula_of, worked_steps

_DIGITS = 20
_MOST_NUMBERS = 12


def show(id: str, corpus: Path | None) -> None:
    """Write all that is known about a case."""
    case, defects = find_case(corpus, id)
    _show_head(case)
    _show_call(case)
    if case.raises or case.module:
        _show_demands(case)
    else:
        with progress(f"computing {id}"):
            results, steps = _results(case), _steps(case, best_reduction(case))
            budgets = _by_dtype(case, _budget)
            digits = _by_dtype(case, _digits_left) if case.loses_digits else []
        _section("reference value", results)
        _section("budget: twice the error bound of an honest computation", budgets)
        _section("right digits that the budget demands, of those that the dtype holds", digits)
        _show_printed(case)
        _show_demands(case)
        say_steps(best_reduction(case), steps)
    _show_defects(defects)


def explain(id: str, reduction: str | None, corpus: Path | None) -> None:
    """Write the formula of a case's loss, followed by its steps in the numbers of the case."""
    case, _ = find_case(corpus, id)
    chosen_reduction = best_reduction(case) if reduction is None else reduction
    if reduction is not None and reduction not in reductions_of(case):
        runs = [name for name in reductions_of(case) if name] or ["the one that its params name"]
        raise Mistake(f"{id} does not run with reduction '{reduction}'; it runs with {', '.join(runs)}")
    if case.module is not None:
        raise Mistake(f"{id} is a claim about classes, not a computation; 'lossproof show {id}' shows it")
    with progress(f"computing {id}"):
        steps = _steps(case, chosen_reduction)
    say(f"{case.id}: {case.title}", HEADING)
    say_formula(LOSSES[case.loss])
    say_steps(chosen_reduction, steps)


def say_formula(loss: Loss) -> None:
    """Write the formula of a loss, and what each of its symbols means."""
    say(f"{loss.name}: {formula_of(loss)}")
    if symbols := symbols_of(loss):
        say_table([((symbol, HEADING), words) for symbol, words in symbols.items()], indent="  ")


def say_steps(reduction: str | None, steps: str) -> None:
    """Write worked steps under a heading."""
    say()
    say("steps" if reduction is None else f"steps, reduction {reduction}", HEADING)
    say(indent(steps, "  "))


def _show_head(case: Case) -> None:
    say(f"{case.id}: {case.title}", HEADING)
    rows: list[Row] = [("loss", case.loss), ("file", f"{case.file}:{case.line}")]
    if case.source:
        rows.append(("source", f"{case.source.document}, {case.source.place} ({case.source.claim})"))
    rows += [("flag", f"{flag.name} ({flag.bug}, {flag.severity}): {flag.why}") for flag in case.flags]
    if case.erratum:
        rows.append(("erratum", f"{case.erratum.statement or 'the number is wrong'}: {case.erratum.because}"))
    if case.drifted:
        was = " ".join(filter(None, (case.drifted.was, case.drifted.unit)))
        rows.append(("drifted", f"{was}, until torch {case.drifted.since}"))
    notes = {
        "rounded": case.rounded,
        "loses digits": case.loses_digits,
        "in a process of its own": case.own_process,
        "judged for bias": case.bias,
        f"repeated {case.repeats} times": case.repeats > 1,
    }
    remarks = [note for note, holds in notes.items() if holds]
    if remarks:
        rows.append(("note", ", ".join(remarks)))
    if case.kills:
        rows.append(("kills", ", ".join(case.kills)))
    say_table([((str(name), QUIET), text) for name, text in rows])


def _show_call(case: Case) -> None:
    rows: list[Row] = [
        (name, case_text(value, _MOST_NUMBERS)) for name, value in {**case.args, **case.params}.items()
    ]
    rows += [] if case.upstream is None else [("upstream", case_text(case.upstream, _MOST_NUMBERS))]
    reductions = [name for name in reductions_of(case) if name]
    rows += [("reductions", ", ".join(reductions))] if reductions and not case.module else []
    rows += [("dtypes", ", ".join(case.dtypes))] if not case.module else []
    _section("inputs", rows)


def _show_demands(case: Case) -> None:
    rows: list[Row] = [*_demand("must be refused", case.raises), *_demand("must warn", case.warns)]
    rows += [*_identity("equals", case.same_as), *_identity("differs from", case.differs_from)]
    if case.module:
        rows.append(("module", f"{case.module.aspect} must be {case.module.expected}"))
    if case.raises:
        try:
            prepare_call(make_call(case, "float64", reductions_of(case)[0]))
        except Refusal as refusal:
            rows.append(("the reference says", f"{refusal} ({refusal.kind})"))
    _section("what must come", rows)


def _demand(what: str, demand: Raised | None) -> list[Row]:
    if demand is None:
        return []
    return [(what, f"{demand.kind}, at the {demand.when}; torch: {demand.type} matching '{demand.match}'")]


def _identity(what: str, identity: Identity | None) -> list[Row]:
    return [] if identity is None else [(what, identity.why)]


def _results(case: Case) -> list[Row]:
    rows: list[Row] = []
    for reduction in reductions_of(case):
        label = reduction or "value"
        rows.append((label, _digits_text(partial(case_value, case, reduction, _DIGITS))))
        for name in _prepared(case, "float64", reduction).differentiable:
            digits = _digits_text(partial(case_gradient, case, reduction, name, _DIGITS))
            rows.append((f"{label}, gradient by {name}", digits))
    return rows


def _digits_text(compute: Callable[[], Digits]) -> str:
    try:
        texts, shape = compute()
    except Undecided as undecided:
        return f"cannot be certified: {undecided}"
    return nested(texts, shape, _MOST_NUMBERS) if texts else "no numbers"


def _by_dtype(case: Case, cell: Callable[[Truth, str], str]) -> list[Row]:
    """A row per result and a column per dtype, each cell a text about the truth in that dtype."""
    cells: dict[str, list[str]] = {}
    planner = CallPlanner()
    for dtype in case.dtypes:
        for reduction in reductions_of(case):
            truth = planner.plan(case, dtype, reduction).truth
            label = reduction or "value"
            cells.setdefault(label, []).append(cell(truth.value, dtype))
            for name, gradient in truth.gradients[0].items() if truth.gradients else ():
                cells.setdefault(f"{label}, gradient by {name}", []).append(cell(gradient, dtype))
    return [("", *case.dtypes), *((label, *texts) for label, texts in cells.items())]


def _digits_left(truth: Truth, dtype: str) -> str:
    """How many of a dtype's decimal digits are right wherever the error is within the budget."""
    holds = FORMATS[dtype].precision * math.log10(2)
    magnitude = np.abs(truth.value)
    is_telling = np.isfinite(magnitude) & (magnitude > 0) & (truth.bound > 0)
    shares = 2 * truth.bound[is_telling] / magnitude[is_telling]
    left = min(holds, max(0.0, -math.log10(np.max(shares)))) if shares.size else holds
    return f"{left:.0f} of {holds:.0f}"


def _budget(truth: Truth, dtype: str) -> str:
    """The largest budget of any element."""
    if np.any(truth.overflows):
        return "may overflow"
    largest = 2 * float(np.max(truth.bound, initial=0.0))
    return "exact" if largest == 0 else significant(largest, 3)


def _show_printed(case: Case) -> None:
    rows: list[Row] = []
    for record in certify(case):
        is_right = record.outcome == Outcome.AGREE
        word = "erratum" if record.quantity == "erratum" else "printed"
        verdict = ("confirmed", GOOD) if is_right else (record.outcome, BAD)
        by = f", gradient by {record.quantity.partition(':')[2]}" if ":" in record.quantity else ""
        rows.append((f"{word} {record.reduction}{by}", verdict, record.message))
    _section("numbers of the case", rows)


def _show_defects(defects: list[KnownDefect]) -> None:
    rows: list[Row] = []
    for defect in defects:
        where = ", ".join(
            (defect.subject, *defect.dtypes, *defect.reductions, *defect.quantities, *defect.layouts)
        )
        rows.append((where, f"{defect.observed}; should be {defect.expected}"))
        ends = (("since", defect.since), ("until", defect.until))
        releases = " ".join(f"{name} {release}" for name, release in ends if release)
        rows.append(("", " ".join(filter(None, (defect.why, releases and f"({releases})", defect.link)))))
    _section("known defects", rows)


def _steps(case: Case, reduction: str | None) -> str:
    return worked_steps(_prepared(case, "float64", reduction))


def _prepared(case: Case, dtype: str, reduction: str | None) -> PreparedCall:
    try:
        return prepare_call(make_call(case, dtype, reduction))
    except Refusal as refusal:
        raise Mistake(f"{case.id}: the reference refuses this call: {refusal}") from refusal


def _section(title: str, rows: Sequence[Row]) -> None:
    if rows:
        say()
        say(title, HEADING)
        say_table(rows, indent="  ")
