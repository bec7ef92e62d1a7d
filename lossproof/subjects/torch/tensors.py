"""The tensors of a call, alive and as the lines that make them, and back to plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Values, tensors_of
from lossproof.subjects.program import Lines
from lossproof.subjects.torch.layouts import lay_out, layout_lines
from lossproof.subjects.written import tensor_source

# The class of fake tensors, which is private to torch: only the mode that makes them asks for it.
_FAKE = "FakeTensor"


def plainly_listed(call: Call) -> Call:
    """The call, its lists of whole numbers as torch takes them: no tensors, whatever the mode."""
    lists = LOSSES[call.loss].index_parameters
    params = {
        name: value.numbers.tolist() if name in lists and isinstance(value, Values) else value
        for name, value in call.params.items()
    }
    return replace(call, params=params)


def make_tensors(call: Call) -> dict[str, torch.Tensor]:
    """The call's tensors by name, laid out as it says."""
    return {
        name: lay_out(make_tensor(values, call.device), values, call.layout, place)
        for name, (place, values) in _placed(call).items()
    }


def make_tensor(values: Values, device: str) -> torch.Tensor:
    """The tensor of some numbers."""
    # A copy: torch must not see the caller's memory, which other subjects will be given too.
    return torch.from_numpy(np.array(values.numbers)).to(getattr(torch, values.dtype)).to(device)


def tensor_lines(call: Call, sources: Iterable[str] = ()) -> dict[str, Lines]:
    """For each of the call's tensors, the lines that make it; of ``sources``, to differentiate by."""
    return {
        name: (
            f"{name} = {tensor_source(values, call.device)}",
            *layout_lines(name, values, call.layout, place),
            *([f"{name}.requires_grad_()"] if name in sources else []),
        )
        for name, (place, values) in _placed(call).items()
    }


def upstream_line(call: Call, place: int = -1, dtype: str = "") -> str:
    """A line that makes one of the call's upstream gradients, of a dtype's expression or of the call's."""
    values = Values(call.upstreams[place], call.dtype)
    return f"upstream = {tensor_source(values, call.device, dtype)}"


def numbers_of(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """The numbers of a tensor, those of a complex one as pairs; nan for each where it has none."""
    if tensor.is_meta or type(tensor).__name__ == _FAKE:
        return np.full(tuple(tensor.shape), np.nan)
    detached = tensor.detach().cpu()
    if detached.dtype.is_complex:
        detached = torch.view_as_real(detached.resolve_conj())
    if detached.dtype.is_floating_point:
        detached = detached.to(torch.float64)
    # Copied by torch: a gradient of nothing but zeros may have no memory, which older releases read anyway.
    return np.array(detached.clone().numpy(force=True))


def dtype_of(tensor: torch.Tensor) -> str:
    """The name of a tensor's dtype."""
    return str(tensor.dtype).removeprefix("torch.")


def _placed(call: Call) -> Mapping[str, tuple[int, Values]]:
    """The call's tensors, each with its place among all that the call is given."""
    places = {name: place for place, name in enumerate((*call.args, *call.params))}
    return {name: (places[name], values) for name, values in tensors_of(call).items()}
