"""A call must not change its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lossproof.checks.question import Question
from lossproof.judging.details import describe
from lossproof.judging.verdict import Verdict
from lossproof.records.outcome import Outcome
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call
from lossproof.subjects.program import Programs

_REPORT = ("print(changed)", "assert not changed, changed")


class Unchanged:
    """After the call, each of its tensors holds the same numbers as before."""

    def applies(self, question: Question) -> bool:
        """Every call with an answer."""
        return question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, changes = question.trial, question.answer.changes
        message = f"the call changed its input: {', '.join(changes)}" if changes else ""
        if changes and trial.subject.writes_to_inputs:
            yield question.record("unchanged", Outcome.OTHER_CONVENTION, message)
            return
        verdict = Verdict(not changes, None, message, came_out=changes)
        make_detail = partial(detail, trial.subject.programs, question.call)
        yield trial.record_verdict("unchanged", verdict, question.reduction, question.layout, make_detail)


def detail(programs: Programs, call: Call) -> Detail:
    """The detail of a call that changed its inputs, either itself or in its backward pass."""
    program = programs.of_call(call, "unchanged")
    keywords = ", ".join(f"{name}={name}" for name in program.tensors)
    # As text, where nan equals nan, and 0.0 differs from -0.0.
    state = f"{{name: str(tensor.tolist()) for name, tensor in dict({keywords}).items()}}"
    if program.changed:
        snippet = program.assemble(
            *program.inputs, *program.computation, f"changed = {program.changed}", *_REPORT
        )
        return describe(call) | {"snippet": snippet}
    snippet = program.assemble(
        *program.inputs,
        f"before = {state}",
        *program.computation,
        f"after = {state}",
        "changed = [name for name in before if after[name] != before[name]]",
        *_REPORT,
    )
    return describe(call) | {"snippet": snippet}
