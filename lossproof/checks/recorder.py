"""Turns verdicts into records, with what all records of a case, a subject and a dtype have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from lossproof.corpus.case import Case, KnownDefect
from lossproof.judging.known_defects import explaining_entry
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import REFUSED, Refused

# The numbers of a case from which on a program that holds them all is too long to be written for each check.
_LARGE = 100_000


class Recorder:
    """Makes the records of one case on one subject in one dtype, in order.

    A detail is made only for a record that somebody reads: for each failure, once for each entry of a known
    defect, and once for all failures of a case with so many numbers that its program would fill a screen.
    """

    def __init__(
        self,
        case: Case,
        subject: str | None,
        dtype: str | None,
        device: str,
        known_defects: Iterable[KnownDefect] = (),
        close: float = 1.0,
    ) -> None:
        """Begin; an error beyond its budget, but within ``close`` budgets, is close."""
        self.case = case
        self._close = close
        self.device = device
        self._known_defects = tuple(known_defects)
        self._shown: set[object] = set()
        # Built once, and shared by all records of a case, which are hundreds.
        self._common: dict[str, Any] = {
            "case": case.id,
            "title": case.title,
            "loss": case.loss,
            "subject": subject,
            "dtype": dtype,
            "device": device,
            "source": asdict(case.source) if case.source else None,
            "file": case.file,
            "line": case.line,
            "finding": _finding(case),
            "flags": [flag.name for flag in case.flags],
            "loses_digits": case.loses_digits,
        }

    def record(
        self,
        quantity: str,
        outcome: Outcome,
        reduction: str | None = None,
        layout: str = "contiguous",
        error_over_budget: float | None = None,
        message: str = "",
        detail: Callable[[], Detail] | None = None,
        **fields: Any,
    ) -> Record:
        """One record of this case; ``fields`` are further fields of it."""
        stated = {
            "layout": layout,
            "reduction": reduction,
            "quantity": Quantity(quantity),
            "outcome": outcome,
            "error_over_budget": error_over_budget,
            "message": message,
        }
        record = Record.of(self._common, stated, fields)
        if detail is None or outcome.is_passing or not self._is_shown(record):
            return record
        return replace(record, detail=detail())

    def record_error(
        self,
        quantity: str,
        refused: Refused,
        reduction: str | None = None,
        layout: str = "contiguous",
        detail: Callable[[], Detail] | None = None,
        what: str = "",
    ) -> Record:
        """The record of an exception instead of an answer; ``what`` names what raised, if not the call."""
        said = "refused" if refused.type == REFUSED else f"raised {refused.type}"
        message, came_out = f"{what}{said}: {refused}", [refused.first_line]
        return self.record(
            quantity, Outcome.ERROR, reduction, layout, None, message, detail, came_out=came_out
        )

    def record_verdict(
        self,
        quantity: str,
        verdict: Verdict,
        reduction: str | None = None,
        layout: str = "contiguous",
        detail: Callable[[], Detail] | None = None,
        **fields: Any,
    ) -> Record:
        """The record of a verdict; ``fields`` are further fields of it."""
        success = Outcome.OVERFLOWED if verdict.rule == "overflow" else Outcome.AGREE
        failure = Outcome.CHANGED_CONVENTION if verdict.is_changed else Outcome.DISAGREE
        if 1 < (verdict.error_over_budget or 0) <= self._close:
            failure = Outcome.CLOSE
        return self.record(
            quantity,
            success if verdict.agrees else failure,
            reduction,
            layout,
            verdict.error_over_budget,
            verdict.message,
            None if detail is None else lambda: detail() | self._why(),
            rule=verdict.rule,
            came_out=[] if verdict.agrees else list(verdict.came_out),
            off=verdict.off,
            picks=dict(verdict.picks),
            **fields,
        )

    def _why(self) -> dict[str, str]:
        return {"why": "; ".join(flag.why for flag in self.case.flags)} if self.case.flags else {}

    def _is_shown(self, record: Record) -> bool:
        entry = explaining_entry(self._known_defects, record)
        if entry is None and not _is_large(self.case):
            return True
        cause = None if entry is None else (entry.file, entry.line)
        is_first = cause not in self._shown
        self._shown.add(cause)
        return is_first


def _is_large(case: Case) -> bool:
    return sum(math.prod(tensor.shape) for tensor in case.args.values()) > _LARGE


def _nested(texts: Sequence[str], shape: Sequence[int]) -> str:
    """Numbers in brackets that show the shape, since a document may have the shape wrong."""
    if not shape:
        return texts[0]
    size = len(texts) // max(shape[0], 1)
    parts = (texts[place * size : (place + 1) * size] for place in range(shape[0]))
    return f"[{', '.join(_nested(part, shape[1:]) for part in parts)}]"


def _finding(case: Case) -> dict[str, str] | None:
    """What the case says about its document."""
    if case.erratum:
        numbers = "; ".join(
            f"{name} {_nested([number.text for number in printed.values], printed.shape)}"
            for name, printed in case.erratum.says.items()
        )
        return {"kind": "erratum", "says": case.erratum.statement or numbers, "because": case.erratum.because}
    if case.drifted:
        unit = f" {case.drifted.unit}" if case.drifted.unit else ""
        now = {"now": f"{case.module.expected}{unit}"} if case.module else {}
        says, because = f"{case.drifted.was}{unit}", f"until torch {case.drifted.since}"
        return {"kind": "drifted", "says": says, "because": because} | now
    return None
