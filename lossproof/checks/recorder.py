"""Turns verdicts into records, with what all records of a case, a subject and a dtype have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from lossproof.corpus.case import Case, KnownDefect, Printed
from lossproof.judging.known_defects import explaining_entry
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Refused


class Recorder:
    """Makes the records of one case on one subject in one dtype, in order.

    A detail is made only for a record that somebody reads: for each failure, and once for each entry of a
    known defect.
    """

    def __init__(
        self,
        case: Case,
        subject: str | None,
        dtype: str | None,
        device: str,
        known_defects: Iterable[KnownDefect] = (),
    ) -> None:
        self.case = case
        self.device = device
        self._known_defects = tuple(known_defects)
        self._shown_entries: set[tuple[str, int]] = set()
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
        rule: str = "",
        came_out: Sequence[str] = (),
        off: int = 0,
        picks: Mapping[str, str] | None = None,
    ) -> Record:
        """One record of this case."""
        record = Record(
            **self._common,
            layout=layout,
            reduction=reduction,
            quantity=Quantity(quantity),
            outcome=outcome,
            error_over_budget=error_over_budget,
            message=message,
            rule=rule,
            came_out=list(came_out),
            off=off,
            picks=dict(picks or {}),
        )
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
        return self.record(
            quantity,
            Outcome.ERROR,
            reduction,
            layout,
            message=f"{what}raised {refused.type}: {refused}",
            detail=detail,
            came_out=[refused.first_line],
        )

    def record_verdict(
        self,
        quantity: str,
        verdict: Verdict,
        reduction: str | None = None,
        layout: str = "contiguous",
        detail: Callable[[], Detail] | None = None,
    ) -> Record:
        """The record of a verdict."""
        success = Outcome.OVERFLOWED if verdict.rule == "overflow" else Outcome.AGREE
        failure = Outcome.CHANGED_CONVENTION if verdict.is_changed else Outcome.DISAGREE
        return self.record(
            quantity,
            success if verdict.agrees else failure,
            reduction,
            layout,
            verdict.error_over_budget,
            verdict.message,
            None if detail is None else lambda: detail() | self._why(),
            verdict.rule,
            () if verdict.agrees else verdict.came_out,
            verdict.off,
            verdict.picks,
        )

    def _is_shown(self, record: Record) -> bool:
        entry = explaining_entry(self._known_defects, record)
        if entry is None:
            return True
        is_first = (entry.file, entry.line) not in self._shown_entries
        self._shown_entries.add((entry.file, entry.line))
        return is_first

    def _why(self) -> dict[str, str]:
        return {"why": "; ".join(flag.why for flag in self.case.flags)} if self.case.flags else {}


def _text(printed: Printed) -> str:
    return _nested([number.text for number in printed.values], printed.shape)


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
        numbers = "; ".join(f"{name} {_text(printed)}" for name, printed in case.erratum.says.items())
        return {"kind": "erratum", "says": case.erratum.statement or numbers, "because": case.erratum.because}
    if case.drifted:
        unit = f" {case.drifted.unit}" if case.drifted.unit else ""
        now = {"now": f"{case.module.expected}{unit}"} if case.module else {}
        return {
            "kind": "drifted",
            "says": f"{case.drifted.was}{unit}",
            "because": f"until torch {case.drifted.since}",
        } | now
    return None
