"""Judging what a subject does beside computing: what it refuses, and what it warns of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossproof.corpus.case import Raised
from lossproof.judging.verdict import Verdict
from lossproof.subjects.call import Refused, SeenWarning


def judge_refusal(refused: Refused, wanted: Raised) -> Verdict:
    """Whether a subject refused in the way, and at the time, that it must."""
    if refused.kind is not None:
        is_right = refused.kind == wanted.kind
        message = f"refused with kind {refused.kind}, not {wanted.kind}: {refused}"
        return Verdict(
            is_right, None, "" if is_right else message, came_out=() if is_right else (refused.type,)
        )
    is_timely = refused.when == wanted.when or not refused.is_staged
    is_right = refused.type == wanted.type and bool(re.search(wanted.match, str(refused))) and is_timely
    message = (
        f"raised {refused.type} at the {refused.when}: {str(refused).partition(chr(10))[0]}; "
        f"should be {wanted.type} at the {wanted.when} matching '{wanted.match}'"
    )
    return Verdict(is_right, None, "" if is_right else message, came_out=(refused.first_line,))


def judge_warning(warnings: Sequence[SeenWarning], wanted: Raised) -> Verdict:
    """Whether a subject warned of what it must."""
    found = any(_is_wanted(warning, wanted) for warning in warnings)
    told = "; ".join(f"{warning.types[0]}: {warning.message}" for warning in warnings) or "nothing"
    message = f"warned of {told}; should warn {wanted.type} '{wanted.match}'"
    seen = tuple(warning.types[0] for warning in warnings) or ("nothing",)
    return Verdict(found, None, "" if found else message, came_out=seen)


def _is_wanted(warning: SeenWarning, wanted: Raised) -> bool:
    """A warning of a kind is judged by that alone: its words are the subject's own."""
    if warning.kind is not None:
        return warning.kind == wanted.kind
    return wanted.type in warning.types and bool(re.search(wanted.match, warning.message))
