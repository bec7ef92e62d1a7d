"""Errors that are within the budget, but lean to one side over a call of many elements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lossproof.checks.question import Question
from lossproof.judging.assertions import bias_assertion
from lossproof.judging.details import describe
from lossproof.judging.truth import Truth
from lossproof.judging.verdict import compare_bias
from lossproof.numbers.formats import Float64Array
from lossproof.records.quantity import Quantity
from lossproof.records.record import Detail, Record
from lossproof.subjects.call import Call
from lossproof.subjects.program import Programs


class Bias:
    """The mean error of the value and of each gradient is small compared with the bound."""

    def applies(self, question: Question) -> bool:
        """Cases with ``bias:``, without a reduction."""
        is_elementwise = question.reduction in ("none", None)
        return question.trial.case.bias and is_elementwise and question.is_contiguous and question.is_answered

    def examine(self, question: Question) -> Iterator[Record]:
        """A record for the value and for each gradient."""
        answer, truth = question.answer, question.planned.truth
        yield _record(question, "value", "value", answer.value, truth.value)
        # The seeded upstream gradient: with ones, many gradients repeat the same few numbers.
        seeded = answer.gradients[1] if len(answer.gradients) > 1 else {}
        for name, observed in seeded.items():
            # A class weight's gradient is too small a sample.
            if observed.size >= truth.value.value.size:
                yield _record(question, name, Quantity.of("vjp", name), observed, truth.gradients[1][name])


def _record(question: Question, name: str, quantity: str, observed: Float64Array, truth: Truth) -> Record:
    trial = question.trial
    make_detail = partial(detail, trial.subject.programs, question.call, quantity, observed, truth)
    bias = Quantity.of("bias", name)
    return trial.record_verdict(bias, compare_bias(observed, truth), question.reduction, detail=make_detail)


def detail(programs: Programs, call: Call, quantity: str, observed: Float64Array, truth: Truth) -> Detail:
    """The detail of errors that lean to one side; ``quantity`` is the one that was observed."""
    program = programs.of_call(call, quantity)
    return describe(call) | {"snippet": program.text(*bias_assertion(observed, truth))}
