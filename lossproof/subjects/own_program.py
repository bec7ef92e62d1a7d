"""Programs for a subject that writes none of its own: they let the subject itself run the call."""

from __future__ import annotations

from lossproof.subjects.call import Call, Values, tensors_of
from lossproof.subjects.literals import array_source, by_name, literal
from lossproof.subjects.program import Lines, Program, Programs


class OwnPrograms(Programs):
    """Programs that hand a ``Call`` to the subject of a name; they need lossproof and the subject."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        """See ``Programs``. A backward pass belongs to the call, so that a call alone asks for none."""
        kind, _, argument = quantity.partition(":")
        with_gradients = kind in ("gradient", "vjp", "unchanged")
        imports = (
            "from lossproof.subjects.call import Call, Values",
            "from lossproof.subjects.guarded import GuardedSubject",
            "from lossproof.subjects.registry import find_subject",
        )
        tensors = {name: (f"{name} = {array_source(values)}",) for name, values in tensors_of(call).items()}
        result = f"answer.gradients[{int(kind == 'vjp')}][{argument!r}]" if argument else "answer.value"
        lines: Lines = (
            *_call_lines(call, with_gradients),
            f"answer = GuardedSubject(find_subject({self._subject!r})).run(call)",
            *(["if answer.failure is not None:", "    raise answer.failure"] if with_gradients else []),
            f"result = {result}",
        )
        dtype = (
            f"answer.gradient_dtypes.get({argument!r}, {tensors_of(call)[argument].dtype!r})"
            if argument
            else "answer.dtype"
        )
        return Program(
            imports, tensors, call=lines, names_kinds=True, dtype=dtype, changed="list(answer.changes)"
        )


def _call_lines(call: Call, with_gradients: bool) -> Lines:
    """A line that makes the call, and those that make its upstream gradients."""
    params = {
        name: f"Values({name}, {value.dtype!r})" if isinstance(value, Values) else literal(value)
        for name, value in call.params.items()
    }
    args = {name: f"Values({name}, {values.dtype!r})" for name, values in call.args.items()}
    options = [repr(call.loss), by_name(params), by_name(args), repr(call.reduction), repr(call.dtype)]
    options += [f"{name}={value!r}" for name, value in (("device", call.device), ("layout", call.layout))]
    if not with_gradients:
        return (f"call = Call({', '.join(options)})",)
    upstreams = [array_source(Values(upstream, call.dtype)) for upstream in call.upstreams]
    return (
        *(f"upstream{place} = {source}" for place, source in enumerate(upstreams)),
        f"upstreams = ({''.join(f'upstream{place}, ' for place in range(len(upstreams)))})",
        f"call = Call({', '.join(options)}, upstreams=upstreams, wrt={call.wrt!r})",
    )
