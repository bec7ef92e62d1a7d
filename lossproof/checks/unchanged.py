"""A call must leave what it is given as it was."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lossproof.checks.question import Question
from lossproof.judging.details import describe
from lossproof.judging.verdict import Verdict
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call
from lossproof.subjects.program import Programs


class Unchanged:
    """No tensor of the call holds other numbers afterwards."""

    def applies(self, question: Question) -> bool:
        """Every call with an answer."""
        return question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """One record."""
        trial, changed = question.trial, question.answer.changed
        message = f"the call changed its input: {', '.join(changed)}" if changed else ""
        verdict = Verdict(not changed, None, message, came_out=changed)
        shown = partial(detail, trial.subject.programs, question.call)
        yield trial.judged("unchanged", verdict, question.reduction, question.layout, shown)


def detail(programs: Programs, call: Call) -> Detail:
    """Of a call that changed its inputs, itself or in its backward pass."""
    program = programs.of_call(call, "unchanged")
    named = ", ".join(f"{name}={name}" for name in program.tensors)
    # As text, in which nan is nan, and 0.0 is not -0.0.
    state = f"{{name: str(tensor.tolist()) for name, tensor in dict({named}).items()}}"
    snippet = program.around(
        *program.inputs,
        f"before = {state}",
        *program.making,
        f"after = {state}",
        "changed = [name for name in before if after[name] != before[name]]",
        "print(changed)",
        "assert not changed, changed",
    )
    return describe(call) | {"snippet": snippet}
