"""What a case claims about a module or a name: its class, its state, how it prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from lossproof.checks.question import Question
from lossproof.corpus.case import Case
from lossproof.judging.calls import make_call
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Refused, Unsupported
from lossproof.subjects.program import Programs


class ModuleClaims:
    """An aspect is what the case says, and no longer what a document once said."""

    def applies(self, question: Question) -> bool:
        """Cases with ``module:``."""
        return question.trial.case.module is not None

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, case = question.trial, question.trial.case
        claim = case.module
        assert claim is not None
        params = make_call(case, trial.dtype, None).params
        make_detail = partial(detail, trial.subject.programs, case, params)
        try:
            observed = trial.subject.inspect(claim.aspect, case.loss, params, claim.expected)
        except Unsupported as reason:
            yield trial.record("module", Outcome.UNSUPPORTED, message=str(reason))
            return
        except Refused as refused:
            yield trial.record_error("module", refused, detail=make_detail)
            return
        agrees = observed == claim.expected
        if agrees and case.drifted:
            agrees = str(observed) != case.drifted.was
        message = f"{claim.aspect} is {observed}"
        if not agrees:
            message += f", should be {claim.expected}"
        verdict = Verdict(agrees, None, message, came_out=(str(observed),))
        yield trial.record_verdict("module", verdict, detail=partial(make_detail, observed))


def detail(programs: Programs, case: Case, params: Mapping[str, Any], observed: object = None) -> Detail:
    """The detail of a claim about a module; ``observed`` is None if the inspection raised."""
    claim = case.module
    assert claim is not None
    checks = [f"assert result == {claim.expected!r}"]
    if case.drifted:
        checks.append(f"assert str(result) != {case.drifted.was!r}")
    program = programs.of_module(claim.aspect, case.loss, params, claim.expected)
    sides = {} if observed is None else {"expected": str(claim.expected), "observed": str(observed)}
    return sides | {"snippet": program.text(*checks)}
