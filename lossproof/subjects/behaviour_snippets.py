"""Programs on what a call does beside its numbers: that it refuses, warns, changes nothing, is repeatable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossproof.subjects.call import Call
from lossproof.subjects.snippet import (
    backward_lines,
    module_and_call,
    preamble,
    result_lines,
)
from lossproof.subjects.tensor_snippets import program, tensor_lines, tensors_of, upstream_line


def reproduce_refusal(subject: str, call: Call, type: str, match: str, when: str, kind: str) -> str:
    """A program that fails unless the call is refused as it must be.

    Args:
        subject, call: as for ``reproduce``.
        type, match: the name of the exception's class and the pattern of its message, of torch.
        when: ``construct`` or ``call``.
        kind: the kind of refusal, of the reference.
    """
    if subject == "reference":
        making = [*result_lines(subject, call), "print(result)"]
        return program(
            [
                *preamble(subject),
                *_attempt(making),
                f"assert getattr(raised, 'kind', None) == {kind!r}, 'should be refused with kind {kind}'",
            ]
        )
    module, called = module_and_call(subject, call)
    making = [f"module = {module}"] * bool(module)
    if not module or when == "call":
        making += [f"result = {called}", "print(result)"]
        making += backward_lines(call, "gradient", "") if call.wrt else ()
    is_right = f"type(raised).__name__ == {type!r} and re.search({match!r}, str(raised))"
    if module and when == "call":
        is_right += " and module is not None"
    wanted = f"should raise {type} at the {when} matching '{match}'"
    return program(
        [
            *preamble(subject),
            *tensor_lines(call),
            *(["module = None"] if module and when == "call" else []),
            *_attempt(making),
            f"assert {is_right}, {wanted!r}",
        ]
    )


def _attempt(lines: Sequence[str]) -> Iterator[str]:
    yield "raised = None"
    yield "try:"
    yield from indented(lines)
    yield "except Exception as error:"
    yield "    raised = error"
    yield "print(repr(raised))"


def reproduce_warning(subject: str, call: Call, type: str, match: str) -> str:
    """A program that fails unless the call warns of what it must warn of."""
    is_wanted = f"{type!r} in [ancestor.__name__ for ancestor in warning.category.__mro__]"
    if subject == "reference":
        is_wanted = "warning.category.__name__ == 'ReferenceWarning'"
    else:
        is_wanted += f" and re.search({match!r}, str(warning.message))"
    *tensors, making = result_lines(subject, call)
    return program(
        [
            *preamble(subject),
            *tensors,
            "with warnings.catch_warnings(record=True) as caught:",
            "    warnings.simplefilter('always')",
            f"    {making}",
            "print([str(warning.message) for warning in caught])",
            f"assert any({is_wanted} for warning in caught), "
            + repr(f"should warn {type} matching '{match}'"),
        ]
    )


def reproduce_change(subject: str, call: Call) -> str:
    """A program that fails while the call, or its backward pass, changes what it is given."""
    names = list(tensors_of(call))
    lines = list(tensor_lines(call, requires_grad=subject != "reference"))
    making = list(result_lines(subject, call))[len(lines) :]
    if call.wrt and subject != "reference":
        names.append("upstream")
        lines.append(upstream_line(call))
        making.append(
            f"torch.autograd.grad(result, [{', '.join(call.wrt)}], upstream, materialize_grads=True)"
        )
    # As text, in which nan is nan, and 0.0 is not -0.0.
    state = f"{{name: str(tensor.tolist()) for name, tensor in {_by_name(names)}.items()}}"
    return program(
        [
            *preamble(subject),
            *lines,
            f"before = {state}",
            *making,
            f"after = {state}",
            "changed = [name for name in before if after[name] != before[name]]",
            "print(changed)",
            "assert not changed, changed",
        ]
    )


def _by_name(names: Sequence[str]) -> str:
    return f"dict({', '.join(f'{name}={name}' for name in names)})"


def reproduce_identity(
    subject: str,
    calls: Sequence[Call],
    shapes: Sequence[tuple[int, ...]] = (),
    check: Sequence[str] = (),
) -> str:
    """A program of several calls: ``result`` is the first one's value, ``other`` the sum of the others'.

    Args:
        subject: as for ``reproduce``.
        calls: all calls.
        shapes: of each call's value, where they are to be checked.
        check: lines that look at ``result`` and ``other``.
    """
    widened = "result" if subject == "reference" else "result.double()"
    lines = preamble(subject)
    for place, call in enumerate(calls):
        lines += result_lines(subject, call)
        lines += [f"assert result.shape == {shape}, result.shape" for shape in shapes[place : place + 1]]
        lines.append(f"other = other + {widened}" if place else "first, other = result, 0.0")
    return program([*lines, "result = first", "print(result, other)", *check])


def reproduce_repeats(subject: str, call: Call, quantity: str, times: int, check: Sequence[str]) -> str:
    """A program that makes a call several times, and checks each result."""
    tensors = list(tensor_lines(call, requires_grad=subject != "reference"))
    making = list(result_lines(subject, call, quantity))[len(tensors) :]
    return program(
        [
            *preamble(subject),
            *tensors,
            f"for _ in range({times}):",
            *indented([*making, "print(result)", *check]),
        ]
    )


def indented(lines: Sequence[str]) -> list[str]:
    """Lines as the body of a statement."""
    return [f"    {line}" for line in lines]
