"""Modes in which torch runs under other settings: again, on threads, in another memory order."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lossproof.subjects.call import Call
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.mode import Loss, Mode, Result, Tensors, elements, plain

# No kernel of a loss divides fewer elements than this among threads.
_THREADED = 2000


def twice(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """The second of two calls on the same tensors."""
    plain(loss, tensors, wrt, upstream)
    return plain(loss, tensors, wrt, upstream)


def threads(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Two threads, not one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        return plain(loss, tensors, wrt, upstream)
    finally:
        torch.set_num_threads(before)


def in_channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """An image or a volume with its channels innermost in memory; any other tensor contiguous."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return tensor.contiguous(memory_format=formats.get(tensor.ndim, torch.contiguous_format))


def channels_last(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Images and volumes with their channels innermost in memory."""
    reordered = {name: in_channels_last(tensor) for name, tensor in tensors.items()}
    return plain(loss, reordered, wrt, in_channels_last(upstream))


def autocast(loss: Loss, tensors: Tensors) -> Result:
    """Under autocast to bfloat16, where each operation has a documented dtype of its own."""
    device = next(iter(tensors.values())).device.type
    with torch.autocast(device, dtype=torch.bfloat16):
        return loss(**tensors), {}


def _has_divided_work(call: Call) -> bool:
    return elements(call) >= _THREADED


def _has_channels(call: Call) -> bool:
    return any(values.numbers.ndim in (4, 5) for values in call.args.values())


MODES: Mapping[str, Mode] = {
    "twice": Mode(twice, Promise.BIT_FOR_BIT, ("float32",), helpers=(plain,)),
    "threads": Mode(threads, Promise.AS_PLAIN, ("float32",), _has_divided_work, helpers=(plain,)),
    "channels_last": Mode(
        channels_last, Promise.AS_PLAIN, ("float32",), _has_channels, helpers=(plain, in_channels_last)
    ),
    "autocast": Mode(autocast, Promise.COMPUTED_IN, ("float32", "bfloat16")),
}
