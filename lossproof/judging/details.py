"""What the record of a check that fails tells beside its verdict: the call, both sides, and a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossproof.corpus.case import Case, Raised
from lossproof.judging.assertions import bias_check, difference_check, every_check, sameness_check
from lossproof.judging.number_text import digits
from lossproof.judging.truth import Truth
from lossproof.numbers.formats import Float64Array
from lossproof.subjects.call import Call, Values
from lossproof.subjects.program import Program, Programs, indented

_SHOWN_ELEMENTS = 60

Detail = dict[str, str]
# A call of an identity, and what its value should be: the case's own, then the terms of the other side.
Side = tuple[Call, Truth]


def describe(call: Call) -> Detail:
    """The inputs and parameters of a call, to be read."""
    reduction = [] if call.reduction is None else [("reduction", call.reduction)]
    return {
        "inputs": "\n".join(f"{name} = {_shown(values)}" for name, values in call.args.items()),
        "params": "\n".join(
            f"{name} = {_shown(value)}" for name, value in (*call.params.items(), *reduction)
        ),
    }


def of_module(programs: Programs, case: Case, params: Mapping[str, Any], observed: object = None) -> Detail:
    """Of a claim about a module; nothing is observed where looking at it raised."""
    claim = case.module
    assert claim is not None
    checks = [f"assert result == {claim.expected!r}"]
    if case.drifted:
        checks.append(f"assert str(result) != {case.drifted.was!r}")
    program = programs.of_module(claim.aspect, case.loss, params, claim.expected)
    sides = {} if observed is None else {"expected": str(claim.expected), "observed": str(observed)}
    return sides | {"snippet": program.text(*checks)}


def of_error(programs: Programs, call: Call, quantity: str = "value") -> Detail:
    """Of a call that raised: the program raises the same."""
    return describe(call) | {"snippet": programs.of_call(call, quantity).text()}


def of_refusal(programs: Programs, call: Call, wanted: Raised) -> Detail:
    """Of a call that was not refused as it must be."""
    program = programs.of_call(call, "gradient" if call.wrt else "value")
    calling = (*program.call, "print(result)", *program.gradient)
    attempt = (*program.construct, *calling)
    demanded = f"should raise {wanted.type} at the {wanted.when} matching '{wanted.match}'"
    is_right = f"type(raised).__name__ == {wanted.type!r} and re.search({wanted.match!r}, str(raised))"
    if program.names_kinds:
        demanded = f"should be refused with kind {wanted.kind}"
        is_right = f"getattr(raised, 'kind', None) == {wanted.kind!r}"
    elif program.construct and wanted.when == "construct":
        attempt = program.construct
    elif program.construct:
        attempt = (*program.construct, "is_constructed = True", *calling)
        is_right += " and is_constructed"
    snippet = program.around(
        *program.inputs,
        "raised = None",
        *(["is_constructed = False"] if "is_constructed = True" in attempt else []),
        "try:",
        *indented(attempt),
        "except Exception as error:",
        "    raised = error",
        "print(repr(raised))",
        f"assert {is_right}, {demanded!r}",
    )
    return describe(call) | {"snippet": snippet}


def of_warning(programs: Programs, call: Call, wanted: Raised) -> Detail:
    """Of a call that did not warn as it must."""
    program = programs.of_call(call)
    demanded = f"should warn {wanted.type} matching '{wanted.match}'"
    is_wanted = (
        f"{wanted.type!r} in [ancestor.__name__ for ancestor in warning.category.__mro__] "
        f"and re.search({wanted.match!r}, str(warning.message))"
    )
    if program.names_kinds:
        demanded = f"should warn with kind {wanted.kind}"
        is_wanted = f"getattr(warning.message, 'kind', None) == {wanted.kind!r}"
    snippet = program.around(
        *program.inputs,
        "with warnings.catch_warnings(record=True) as caught:",
        "    warnings.simplefilter('always')",
        *indented(program.making),
        "print([str(warning.message) for warning in caught])",
        f"assert any({is_wanted} for warning in caught), {demanded!r}",
    )
    return describe(call) | {"snippet": snippet}


def of_change(programs: Programs, call: Call) -> Detail:
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


def of_repeats(programs: Programs, call: Call, quantity: str, times: int, truth: Truth) -> Detail:
    """Of a call that was not right every time."""
    program = programs.of_call(call, quantity)
    once = (*program.making, "print(result)", *every_check(truth))
    snippet = program.around(*program.inputs, f"for _ in range({times}):", *indented(once))
    return describe(call) | {"snippet": snippet}


def of_bias(programs: Programs, call: Call, quantity: str, observed: Float64Array, truth: Truth) -> Detail:
    """Of errors that lean to one side; the quantity is the one that was observed."""
    program = programs.of_call(call, quantity)
    return describe(call) | {"snippet": program.text(*bias_check(observed, truth))}


def of_identity_error(programs: Programs, sides: Sequence[Side]) -> Detail:
    """Of an identity whose last side raised."""
    calls = [call for call, _ in sides]
    return describe(calls[0]) | {"snippet": _identity([programs.of_call(call) for call in calls])}


def of_sameness(
    programs: Programs,
    sides: Sequence[Side],
    observed: Float64Array,
    other: Float64Array,
    bound: Float64Array,
) -> Detail:
    """Of two sides that must be the same, and are not within the sum of their bounds."""
    return _of_sides(programs, sides, observed, other, sameness_check(observed, other, bound))


def of_difference(
    programs: Programs, sides: Sequence[Side], observed: Float64Array, other: Float64Array
) -> Detail:
    """Of two sides that must differ."""
    check = difference_check([truth for _, truth in sides])
    return _of_sides(programs, sides, observed, other, check)


def _of_sides(
    programs: Programs,
    sides: Sequence[Side],
    observed: Float64Array,
    other: Float64Array,
    check: Sequence[str],
) -> Detail:
    shapes = [truth.value.shape for _, truth in sides]
    snippet = _identity([programs.of_call(call) for call, _ in sides], shapes, check)
    seen = {"expected": digits(other), "observed": digits(observed)}
    return describe(sides[0][0]) | seen | {"snippet": snippet}


def _identity(
    programs: Sequence[Program], shapes: Sequence[tuple[int, ...]] = (), check: Sequence[str] = ()
) -> str:
    """A program of several calls: ``result`` is the first one's value, ``other`` the sum of the others'.

    Args:
        programs: one for each call.
        shapes: of each call's value, where they are to be checked.
        check: lines that look at ``result`` and ``other``.
    """
    lines: list[str] = []
    for place, program in enumerate(programs):
        lines += [*program.inputs, *program.making]
        lines += [f"assert result.shape == {shape}, result.shape" for shape in shapes[place : place + 1]]
        lines.append(f"other = other + {program.in_double}" if place else "first, other = result, 0.0")
    return programs[0].around(*lines, "result = first", "print(result, other)", *check)


def _shown(value: Any) -> str:
    if not isinstance(value, Values):
        return repr(value)
    numbers = value.numbers
    if numbers.size > _SHOWN_ELEMENTS:
        return f"{value.dtype} {list(numbers.shape)}, from {numbers.min():.6g} to {numbers.max():.6g}"
    return f"{value.dtype} {numbers.tolist()}"
