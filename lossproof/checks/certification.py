"""Certifies a case: compares the numbers that it prints, and its erratum, with ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from lossproof.checks.recorder import Recorder
from lossproof.corpus.case import Case
from lossproof.corpus.keys import ERRATUM_NUMBERS
from lossproof.judging.printed import DOCUMENT, FORMULA, IN_CASE, PrintedVerdict, judge_printed
from lossproof.numbers.ball import Undecided
from lossproof.records.outcome import Outcome
from lossproof.records.quantity import Quantity
from lossproof.records.record import Record
from lossproof.reference.refusals import Refusal


def certify(case: Case) -> list[Record]:
    """Judge every printed number of a case, and that no number of an erratum comes out."""
    return list(_Certification(case).records())


class _Certification(Recorder):
    def __init__(self, case: Case) -> None:
        super().__init__(case, None, None, "cpu")

    def records(self) -> Iterator[Record]:
        for reduction, tensors in self.case.expect.items():
            origin = DOCUMENT if reduction in self.case.prints else IN_CASE
            for printed in tensors:
                judge = partial(judge_printed, self.case, reduction, None, printed, origin)
                yield self._printed("printed", reduction, judge)
        for reduction, arguments in self.case.gradient.items():
            for argument, tensors in arguments.items():
                for printed in tensors:
                    judge = partial(judge_printed, self.case, reduction, argument, printed)
                    yield self._printed(Quantity.of("printed", argument), reduction, judge)
        if self.case.erratum:
            for reduction in self.case.erratum.says:
                yield self._printed("erratum", reduction, partial(self._erratum, reduction))

    def _erratum(self, reduction: str) -> PrintedVerdict:
        """An erratum holds if the document's number does not come out."""
        assert self.case.erratum is not None
        origin = DOCUMENT if ERRATUM_NUMBERS in self.case.prints else FORMULA
        verdict = judge_printed(self.case, reduction, None, self.case.erratum.says[reduction], origin)
        message = f"{verdict.message}: {self.case.erratum.because}"
        if verdict.agrees:
            message = f"called an erratum, but right: {verdict.message}; remove the erratum"
        return replace(verdict, agrees=not verdict.agrees, error_over_budget=None, message=message)

    def _printed(self, quantity: str, reduction: str, judge: Callable[[], PrintedVerdict]) -> Record:
        try:
            verdict = judge()
            return replace(self.record_verdict(quantity, verdict, reduction), numbers=verdict.numbers)
        except (Refusal, Undecided) as error:
            message = f"the reference cannot tell: {error}"
            return self.record(quantity, Outcome.ERROR, reduction, message=message)
