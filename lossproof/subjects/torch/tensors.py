"""The tensors of a call, as objects and as lines that make them, and their plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Call, Values, places_of, tensors_of
from lossproof.subjects.literals import tensor_source
from lossproof.subjects.program import Lines
from lossproof.subjects.torch.layouts import lay_out, layout_lines

# The name of the class of fake tensors: the class itself is private to torch.
_FAKE = "FakeTensor"


def with_plain_lists(call: Call) -> Call:
    """The call, with index parameters as plain lists, which torch requires in every mode."""
    lists = LOSSES[call.loss].index_parameters
    params = {
        name: value.numbers.tolist() if name in lists and isinstance(value, Values) else value
        for name, value in call.params.items()
    }
    return replace(call, params=params)


def make_tensors(call: Call) -> dict[str, torch.Tensor]:
    """The call's tensors by name, in its layout."""
    return {
        name: lay_out(make_tensor(values, call.device), values, call.layout, place)
        for name, (place, values) in _with_places(call).items()
    }


def make_tensor(values: Values, device: str) -> torch.Tensor:
    """The contiguous tensor that holds the numbers."""
    # A copy: torch must not see the caller's memory, which other subjects get as well.
    return torch.from_numpy(np.array(values.numbers)).to(getattr(torch, values.dtype)).to(device)


def tensor_lines(call: Call, sources: Iterable[str] = ()) -> dict[str, Lines]:
    """The lines that make each of the call's tensors; those in ``sources`` require gradients."""
    return {
        name: (
            f"{name} = {tensor_source(values, call.device)}",
            *layout_lines(name, values, call.layout, place),
            *([f"{name}.requires_grad_()"] if name in sources else []),
        )
        for name, (place, values) in _with_places(call).items()
    }


def upstream_line(call: Call, place: int = -1, dtype: str = "") -> str:
    """A line that makes an upstream gradient, in the dtype of an expression or else that of the call's."""
    values = Values(call.upstreams[place], call.upstream_dtype)
    return f"upstream = {tensor_source(values, call.device, dtype)}"


def numbers_of(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """The numbers of a tensor, complex ones as pairs; all nan if the tensor has no numbers."""
    if tensor.is_meta or type(tensor).__name__ == _FAKE:
        return np.full(tuple(tensor.shape), np.nan)
    detached = tensor.detach().cpu()
    if detached.dtype.is_complex:
        detached = torch.view_as_real(detached.resolve_conj())
    if detached.dtype.is_floating_point:
        detached = detached.to(torch.float64)
    # Copied by torch: a gradient of zeros may have no memory, which older releases would read.
    return np.array(detached.clone().numpy(force=True))


def dtype_of(tensor: torch.Tensor) -> str:
    """The name of a tensor's dtype."""
    return str(tensor.dtype).removeprefix("torch.")


def _with_places(call: Call) -> Mapping[str, tuple[int, Values]]:
    """The call's tensors, each with its index among all arguments and parameters."""
    places = places_of(call)
    return {name: (places[name], values) for name, values in tensors_of(call).items()}
