"""Modes in which tensors are something else: batches, of another class, without numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.mode import Loss, Mode, Result, Tensors, plain


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


_FAKE = "torch._subclasses.fake_tensor"
MODES: Mapping[str, Mode] = {
    "vmap": Mode(vmap, Promise.ROWS, ("float64",)),
    "meta": Mode(
        meta, Promise.ABSTRACT, ("float32",), helpers=(plain,), class_line="assert result.is_meta, result"
    ),
    "fake": Mode(
        fake,
        Promise.ABSTRACT,
        ("float32",),
        helpers=(plain,),
        imports=(f"from {_FAKE} import FakeTensor",),
        needs=(f"{_FAKE}.FakeTensorMode",),
        class_line="assert isinstance(result, FakeTensor), result",
    ),
    "subclass": Mode(
        subclass,
        Promise.AS_PLAIN,
        ("float32",),
        helpers=(plain, Subclass),
        result=Subclass,
        class_line="assert isinstance(result, Subclass), type(result)",
    ),
}
