"""torch.compile with its decompositions, for real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch._dynamo
from repository import whole_cases
from snippet_runs import fails_as_told

from lossproof.checks.examination import Examiner
from lossproof.judging.calls import make_call
from lossproof.records.record import Record
from lossproof.subjects.call import Refused, Values
from lossproof.subjects.guarded import GuardedSubject
from lossproof.subjects.registry import find_subject

NUMBERS = {"input": 1, "target": 3}
SUBJECT = find_subject("torch.compile-decomposed")


def examined(case: str) -> list[Record]:
    return list(Examiner().examine(whole_cases()[case], SUBJECT, "float32"))


def test_what_is_right_agrees_in_value_and_in_both_gradients() -> None:
    records = examined("mse-four")
    assert {record.outcome for record in records} == {"agree"}
    assert {"value", "gradient:input", "vjp:target", "unchanged"} <= {record.quantity for record in records}


def test_what_only_compiled_code_gets_wrong_is_found_and_shown() -> None:
    eager = find_subject("torch.nn.functional")
    case = whole_cases()["mlm-documented"]
    assert not any(record.outcome.is_failing for record in Examiner().examine(case, eager, "float32"))
    wrong = [record for record in examined("mlm-documented") if record.quantity == "value"]
    assert {record.outcome for record in wrong} == {"disagree"}
    assert all(fails_as_told(record) for record in wrong)
    snippet = (wrong[0].detail or {})["snippet"]
    assert "loss = torch.compile(loss, backend='aot_eager_decomp_partition', dynamic=False)" in snippet


def test_an_exception_is_the_one_that_the_compiler_wraps() -> None:
    call = make_call(whole_cases()["nll-refuses-batch"], "float32", "mean")
    with pytest.raises(Refused) as caught:
        GuardedSubject(SUBJECT).run(call)
    assert caught.value.type == "ValueError"
    assert str(caught.value).startswith("Expected input batch_size")


def test_every_shape_is_compiled_rather_than_run_without_a_word() -> None:
    case = whole_cases()["mse-four"]
    call = make_call(case, "float32", "sum")
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    for size in range(2, 14):
        args = {name: Values(np.full(size, number, "float32"), "float32") for name, number in NUMBERS.items()}
        assert SUBJECT.run(replace(call, args=args, upstreams=(), wrt=())).value == 4 * size
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] - before == 12
