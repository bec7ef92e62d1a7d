"""What the record of a check that fails shows of its call."""

from __future__ import annotations

from typing import Any

from lossproof.records.record import Detail
from lossproof.subjects.call import Call, Values
from lossproof.subjects.program import Programs

_SHOWN_ELEMENTS = 60


def describe(call: Call) -> Detail:
    """The inputs and parameters of a call, to be read."""
    reduction = [] if call.reduction is None else [("reduction", call.reduction)]
    return {
        "inputs": "\n".join(f"{name} = {_shown(values)}" for name, values in call.args.items()),
        "params": "\n".join(
            f"{name} = {_shown(value)}" for name, value in (*call.params.items(), *reduction)
        ),
    }


def of_error(programs: Programs, call: Call, quantity: str = "value") -> Detail:
    """Of a call that raised: the program raises the same."""
    return describe(call) | {"snippet": programs.of_call(call, quantity).text()}


def _shown(value: Any) -> str:
    if not isinstance(value, Values):
        return repr(value)
    numbers = value.numbers
    if numbers.size > _SHOWN_ELEMENTS:
        return f"{value.dtype} {list(numbers.shape)}, from {numbers.min():.6g} to {numbers.max():.6g}"
    return f"{value.dtype} {numbers.tolist()}"
