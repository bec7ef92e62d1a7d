"""Examines a case: makes all of its checks on a subject in a dtype, as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lossproof.checks.kinds import KINDS
from lossproof.checks.question import questions
from lossproof.checks.trial import Extent, Trial
from lossproof.corpus.case import Case, KnownDefect
from lossproof.numbers.ball import Undecided
from lossproof.records.outcome import Outcome
from lossproof.records.record import Record
from lossproof.reference.conventions import picking
from lossproof.reference.refusals import Refusal
from lossproof.subjects.call import Unsupported
from lossproof.subjects.subject import Subject
from lossproof.subjects.transcript import Transcript


@dataclass(frozen=True)
class Examiner(Extent):
    """Examines cases. One examiner serves a whole run, so that subjects share the reference's work."""

    def examine(
        self,
        case: Case,
        subject: Subject,
        dtype: str | None,
        device: str = "cpu",
        known_defects: Iterable[KnownDefect] = (),
        transcript: Transcript | None = None,
    ) -> list[Record]:
        """All checks of a case on a subject in one dtype; a claim about a module has none.

        A transcript notes the calls and the answers.
        Of the records that one of the known defects explains, only the first gets a detail.
        """
        return list(self.records(case, subject, dtype, device, known_defects, transcript))

    def records(
        self,
        case: Case,
        subject: Subject,
        dtype: str | None,
        device: str = "cpu",
        known_defects: Iterable[KnownDefect] = (),
        transcript: Transcript | None = None,
    ) -> Iterator[Record]:
        """The same records lazily, for callers that stop at the first disagreement."""
        trial = Trial(self, case, subject, dtype, device, known_defects, transcript)
        with picking(trial.picks):
            yield from _records(trial)


def _records(trial: Trial) -> Iterator[Record]:
    for reduction in trial.reductions:
        if reason := trial.lacks(reduction):
            yield trial.record("value", Outcome.UNSUPPORTED, reduction, message=reason)
            continue
        try:
            for question in questions(trial, reduction):
                for kind in KINDS:
                    if kind.applies(question):
                        yield from kind.examine(question)
        except Unsupported as reason:
            yield trial.record("value", Outcome.UNSUPPORTED, reduction, message=str(reason))
        except Refusal as refusal:
            message = f"the reference refuses this case: {refusal}; say so in the case with 'raises:'"
            yield trial.record("value", Outcome.ERROR, reduction, message=message)
        except Undecided as undecided:
            message = f"the truth cannot be certified: {undecided}"
            yield trial.record("value", Outcome.ERROR, reduction, message=message)
