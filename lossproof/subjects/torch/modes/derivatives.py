"""Modes that differentiate in other ways than a plain backward pass."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.autograd import forward_ad

from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.mode import Loss, Mode, Result, Tensors


def jvp(loss: Loss, tensors: Tensors, directions: Tensors) -> Result:
    """Forward-mode differentiation along the directions."""
    with forward_ad.dual_level():
        duals = {
            name: forward_ad.make_dual(tensors[name], direction)  # type: ignore[no-untyped-call]  # torch's
            for name, direction in directions.items()
        }
        dual = loss(**{**tensors, **duals})
        primal, tangent = forward_ad.unpack_dual(dual)  # type: ignore[no-untyped-call]  # torch's
        return torch.zeros_like(primal) if tangent is None else tangent, {}


def double_backward(loss: Loss, tensors: Tensors, upstream: torch.Tensor, directions: Tensors) -> Result:
    """The gradient of sum(direction * gradient), by each source and by the upstream gradient."""
    sources = {name: tensors[name].requires_grad_() for name in directions}
    sources["upstream"] = upstream.requires_grad_()
    output = loss(**tensors)
    gradients = torch.autograd.grad(
        output, [tensors[name] for name in directions], upstream, create_graph=True, materialize_grads=True
    )
    along = [
        (gradient * direction).sum()
        for gradient, direction in zip(gradients, directions.values(), strict=True)
    ]
    second = torch.autograd.grad(torch.stack(along).sum(), list(sources.values()), materialize_grads=True)
    return output, dict(zip(sources, second, strict=True))


def forward_over_reverse(loss: Loss, tensors: Tensors, upstream: torch.Tensor, directions: Tensors) -> Result:
    """The derivative of the gradient by the first source alone, as torch.func.hessian takes it."""
    first = next(iter(directions))
    gradient = torch.func.grad(lambda moved: (loss(**{**tensors, first: moved}) * upstream).sum())
    second = torch.func.jvp(gradient, (tensors[first],), (directions[first],))[1]
    return upstream, {first: second}


def func_grad(loss: Loss, tensors: Tensors, wrt: tuple[str, ...], upstream: torch.Tensor) -> Result:
    """torch.func.grad in the place of autograd."""
    sources = {name: tensors[name] for name in wrt}
    weighted = torch.func.grad_and_value(lambda moved: (loss(**{**tensors, **moved}) * upstream).sum())
    gradients, value = weighted(sources)
    return value, gradients


MODES: Mapping[str, Mode] = {
    "jvp": Mode(jvp, Promise.DERIVATIVE, ("float64",), imports=("from torch.autograd import forward_ad",)),
    "double_backward": Mode(double_backward, Promise.SECOND_DERIVATIVE, ("float64",)),
    "forward_over_reverse": Mode(forward_over_reverse, Promise.SECOND_DERIVATIVE, ("float64",)),
    "func.grad": Mode(func_grad, Promise.GRADIENTS, ("float64",)),
}
