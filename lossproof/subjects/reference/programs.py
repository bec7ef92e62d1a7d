"""Programs that show the reference: our own functions on torch's tensors."""

from __future__ import annotations

from lossproof.subjects.call import Call, Values, tensors_of
from lossproof.subjects.literals import by_name, literal, tensor_source
from lossproof.subjects.program import Lines, Program, Programs


class ReferencePrograms(Programs):
    """Programs of ``lossproof.forward`` and ``lossproof.gradient``."""

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        """See ``Programs``; a backward pass alone shows nothing, since nothing is done in place."""
        kind, _, argument = quantity.partition(":")
        tensors = {
            name: (f"{name} = {tensor_source(values, call.device)}",)
            for name, values in tensors_of(call).items()
        }
        params = {
            name: name if isinstance(value, Values) else literal(value) for name, value in call.params.items()
        }
        if call.reduction is not None:
            params["reduction"] = repr(call.reduction)
        loss = f"'{call.loss}', {by_name(params)}, {by_name({name: name for name in call.args})}"
        imports: Lines = ("import lossproof",)
        lines: Lines = (f"result = lossproof.forward({loss})",)
        if argument and kind == "vjp":
            imports = (*imports, "from lossproof.reference.evaluation import prepare")
            upstream = tensor_source(Values(call.upstreams[-1], call.dtype), call.device)
            lines = (
                f"upstream = {upstream}",
                f"result = prepare({loss}).gradient(upstream.numpy())['{argument}']",
            )
        elif argument:
            lines = (f"result = lossproof.gradient({loss}, '{argument}')",)
        return Program(imports=imports, tensors=tensors, call=lines, names_kinds=True)
