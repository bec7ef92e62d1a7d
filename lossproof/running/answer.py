"""The result of a trial, as it travels from process to process, and from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from lossproof.records.lines import lines_of
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reporting.failure_groups import failure_sentence
from lossproof.reporting.shown_program import shown_program


@dataclass(frozen=True)
class Answer:
    """The result of a trial.

    Attributes:
        lines: its records, as lines of JSON; see ``records.lines``.
        complaints: the sentences on why the trial fails; it passes if there are none.
        program: the program that shows the first failure, or a sentence about it; see ``shown_program``.
        skipped: why nothing could be checked; None if something was.
        problems: a sentence per known defect that is gone, if the release is on record.
        printed: the end of the subject's output.
        seconds: how long it took; 0 if nobody knows.
        failure: the traceback of a failure of the harness itself; then there are no records.
        is_last: whether the process must not carry out another trial, since its memory may be corrupted or
            is large.
    """

    lines: str = ""
    complaints: Sequence[str] = ()
    program: str = ""
    skipped: str | None = None
    problems: Sequence[str] = ()
    printed: str = ""
    seconds: float = field(default=0.0, compare=False)
    failure: str = ""
    is_last: bool = False

    @classmethod
    def of(cls, records: Sequence[Record], problems: Sequence[str] = ()) -> Answer:
        """The answer that consists of these records and problems."""
        failures = [record for record in records if record.outcome.is_failing]
        outcomes = {record.outcome for record in records}
        reasons = sorted({record.message for record in records})
        return cls(
            "\n".join(lines_of(records)),
            (*map(failure_sentence, failures), *problems),
            shown_program(failures, "the report holds it."),
            "; ".join(reasons) if outcomes == {Outcome.UNSUPPORTED} else None,
            tuple(problems),
        )

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Answer:
        """The answer whose ``vars`` JSON had.

        Raises:
            ValueError: a field is missing or unknown, or the records are no text.
            TypeError: the complaints or the problems are no sequence.
        """
        if data.keys() != _FIELDS or not isinstance(data["lines"], str):
            raise ValueError("these are not the fields of an answer")
        return cls(**{**data, **{name: tuple(data[name]) for name in ("complaints", "problems")}})


_FIELDS = {field.name for field in fields(Answer)}
