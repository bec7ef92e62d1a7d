"""What the failing checks of a loss have in common, in a sentence: one mistake shows in many of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.groups import failures_in, grouped, remembered
from lossproof.reporting.off_by import shared_error_in_words
from lossproof.reporting.text import count

_SIDES = {"value": "values", "gradient": "gradients", "vjp": "gradients"}


def _side(record: Record) -> str:
    """What a check of one call looks at, its values or its gradients; of any other check, its kind."""
    kind = record.quantity.kind
    if kind == "bias":
        kind = "value" if record.quantity.argument == "value" else "gradient"
    return _SIDES.get(kind, kind)


def is_of_one_call(record: Record) -> bool:
    """Whether a check looks at the values or the gradients of a call by itself."""
    return _side(record) in _SIDES.values()


# In which respects checks may be alike, each with a name of what a check has.
_ASPECTS: Mapping[str, Callable[[Record], str]] = {
    "dtype": lambda record: record.dtype_name,
    "subject": lambda record: record.subject_name,
    "quantity": lambda record: str(record.quantity),
    "side": _side,
    "reduction": lambda record: record.reduction or "",
    "layout": lambda record: record.layout,
}
# A check that compares two calls stands under one of them, and the other may be wrong.
_OF_ONE_CALL = ("quantity", "side", "reduction")
# Checks that differ in these alone say whether it is they that matter.
_CALL = attrgetter("case", "subject", "dtype", "reduction")
_NUMBERS = attrgetter("case", "subject", "dtype", "reduction", "quantity")
# More names than this are no longer something in common.
_MOST_NAMES = 2
_PARAMETER = re.compile(r"^(\w+) = ", re.MULTILINE)


@remembered
def failures_by_loss(records: Iterable[Record]) -> list[tuple[str, list[Record], list[Record]]]:
    """Each loss with failing checks: its name, those, and its others that ran; most failures first."""
    losses = {record.loss for record in failures_in(records)}
    ran = (one for one in records if one.loss in losses and one.outcome != Outcome.UNSUPPORTED)
    found = []
    for loss, group in grouped(ran, attrgetter("loss")).items():
        parts = grouped(group, lambda record: record.outcome.is_failing)
        found.append((loss, parts[True], parts.get(False, [])))
    return sorted(found, key=lambda one: -len(one[1]))


def in_common(failing: Sequence[Record], others: Sequence[Record]) -> str:
    """How many checks and cases of a loss fail, and what they share that its other checks do not.

    Such as ``389 checks in 17 of 57 cases: all are 0.5 above the true value; only float16; all 17 cases have
    delta``.
    """
    cases = {record.case for record in failing}
    total = len(cases | {record.case for record in others})
    of = f"{len(cases)} of {count(total, 'case')}" if total > len(cases) else count(total, "case")
    parts = (shared_error_in_words(failing), *_limits(failing, others), *_traits(failing, others))
    shared = "; ".join(filter(None, parts))
    return f"{count(len(failing), 'check')} in {of}" + (f": {shared}" if shared else "")


def _limits(failing: Sequence[Record], others: Sequence[Record]) -> Iterator[str]:
    """The aspects in which failing checks are alike, unlike checks that pass and differ in nothing else."""
    by_themselves = list(filter(is_of_one_call, failing)) or failing
    wrong = {
        aspect: {name_of(one) for one in (by_themselves if aspect in _OF_ONE_CALL else failing)}
        for aspect, name_of in _ASPECTS.items()
    }
    # The reference and the numbers of a case are right whatever they are compared with.
    rivals = [one for one in others if one.outcome.is_passing and one.subject not in (None, "reference")]
    # Of a hundred thousand checks, few differ in their names.
    distinct = {tuple(name_of(record) for name_of in _ASPECTS.values()) for record in rivals}
    right = [dict(zip(_ASPECTS, names, strict=True)) for names in distinct]
    calls, numbers = set(map(_CALL, by_themselves)), set(map(_NUMBERS, failing))
    told = set()
    for aspect in _ASPECTS:
        if aspect == "layout":
            passing = {record.layout for record in rivals if _NUMBERS(record) in numbers}
        elif aspect == "side":
            if "quantity" in told:
                continue  # of a gradient by one argument, it needs no saying that it is a gradient
            sides = {_side(record) for record in rivals if _CALL(record) in calls}
            passing = sides & set(_SIDES.values())
        else:
            passing = {names[aspect] for names in right if _differs_only_in(names, aspect, wrong)}
        names, rest = sorted(wrong[aspect] - {""}), sorted(passing - wrong[aspect] - {""})
        if rest and 1 <= len(names) <= _MOST_NAMES:
            told.add(aspect)
            yield f"only {' and '.join(names)}" + (_right_side(names, rest) if aspect == "side" else "")
        elif rest and aspect == "layout":
            yield f"never {' and '.join(rest)}"


def _right_side(wrong: Sequence[str], right: Sequence[str]) -> str:
    """That the gradients are right where only values are wrong, or the values where only gradients are."""
    other = [side for side in ("values", "gradients") if side not in wrong]
    return f"; the {other[0]} are right" if len(other) == 1 and other[0] in right else ""


def _differs_only_in(names: Mapping[str, str], aspect: str, wrong: Mapping[str, set[str]]) -> bool:
    """Whether a check is like failing ones but for one aspect; of quantities, only their sides must be."""
    same = (other for other in _ASPECTS if other not in (aspect, "quantity"))
    return all(names[other] in wrong[other] for other in same)


def _traits(failing: Sequence[Record], others: Sequence[Record]) -> Iterator[str]:
    """The parameters and the flags that all failing cases have, and some other cases lack."""
    wrong = {record.case for record in failing}
    if wrong >= {record.case for record in others}:
        return  # nothing to tell them from
    all_of = "the case" if len(wrong) == 1 else f"all {len(wrong)} cases"
    has, looks_for = ("has", "looks for") if len(wrong) == 1 else ("have", "look for")
    records = [*failing, *others]
    for verb, traits in ((has, _parameters(records)), (looks_for, _flags(records))):
        shared = set.intersection(*(traits.get(case, set()) for case in wrong))
        rest = [names for case, names in traits.items() if case not in wrong]
        telling = sorted(name for name in shared if not rest or not all(name in names for names in rest))
        if telling:
            yield f"{all_of} {verb} {' and '.join(telling)}"


def _parameters(records: Iterable[Record]) -> dict[str, set[str]]:
    """The parameters of each case of which any check shows them."""
    return {
        record.case: set(_PARAMETER.findall(record.detail.get("params", ""))) - {"reduction"}
        for record in records
        if record.detail and "inputs" in record.detail
    }


def _flags(records: Iterable[Record]) -> dict[str, set[str]]:
    return {record.case: set(record.flags) for record in records}
