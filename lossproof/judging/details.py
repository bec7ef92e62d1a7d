"""What the record of a failing check shows of its call."""

from __future__ import annotations

from typing import Any

from lossproof.records.record import Detail
from lossproof.subjects.call import Call, Values
from lossproof.subjects.program import Programs

_SHOWN_ELEMENTS = 60


def describe(call: Call) -> Detail:
    """The inputs and parameters of a call, as text."""
    reduction = [] if call.reduction is None else [("reduction", call.reduction)]
    return {
        "inputs": "\n".join(f"{name} = {_text(values)}" for name, values in call.args.items()),
        "params": "\n".join(f"{name} = {_text(value)}" for name, value in (*call.params.items(), *reduction)),
    }


def error_detail(programs: Programs, call: Call, quantity: str = "value") -> Detail:
    """The detail of a call that raised: its program raises the same exception."""
    return describe(call) | {"snippet": programs.of_call(call, quantity).text()}


def _text(value: Any) -> str:
    if not isinstance(value, Values):
        return repr(value)
    numbers = value.numbers
    if numbers.size > _SHOWN_ELEMENTS:
        return f"{value.dtype} {list(numbers.shape)}, from {numbers.min():.6g} to {numbers.max():.6g}"
    return f"{value.dtype} {numbers.tolist()}"
