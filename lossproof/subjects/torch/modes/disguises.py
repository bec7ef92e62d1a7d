"""The modes in which tensors are something else: a batch, of another class or order, without numbers."""

from __future__ import annotations

import torch

from lossproof.subjects.torch.modes.mode import Loss, Result, Tensors, plain


def vmap(loss: Loss, tensors: Tensors, args: tuple[str, ...], wrt: tuple[str, ...]) -> Result:
    """A batch of three: the call, one with halved inputs to show what mixes with it, the call again."""
    batched = {
        name: torch.stack([tensors[name], tensors[name] / 2 if name in wrt else tensors[name], tensors[name]])
        for name in args
    }
    output = torch.func.vmap(lambda arguments: loss(**{**tensors, **arguments}))(batched)
    return output[::2], {}


def meta(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Tensors without numbers."""
    abstract = {name: tensor.to("meta") for name, tensor in tensors.items()}
    return plain(loss, abstract, wrt, upstream.to("meta"))


def fake(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Tensors without numbers that pretend to lie on their device."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode() as mode:
        abstract = {name: mode.from_tensor(tensor) for name, tensor in tensors.items()}
        return plain(loss, abstract, wrt, mode.from_tensor(upstream))


class Subclass(torch.Tensor):
    """As users write them: every function of torch reaches it through __torch_function__."""


def subclass(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """All tensors of a subclass, which the result must be of as well."""
    disguised = {name: tensor.as_subclass(Subclass) for name, tensor in tensors.items()}
    return plain(loss, disguised, wrt, upstream.as_subclass(Subclass))


def in_channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """An image or a volume with its channels innermost in memory; any other tensor contiguous."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return tensor.contiguous(memory_format=formats.get(tensor.ndim, torch.contiguous_format))


def channels_last(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """Images and volumes with their channels innermost in memory."""
    reordered = {name: in_channels_last(tensor) for name, tensor in tensors.items()}
    return plain(loss, reordered, wrt, in_channels_last(upstream))
