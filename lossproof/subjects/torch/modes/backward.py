"""Ways of calling in which the backward pass is another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from lossproof.subjects.call import Call
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.inputs import spread
from lossproof.subjects.torch.modes.mode import EVERY_DTYPE, Loss, Mode, Names, Result, Tensors, always, plain


def or_zeros(tensor: torch.Tensor, *gradients: torch.Tensor | None) -> torch.Tensor:
    """The last of a tensor's gradients; without any, it does not change the output."""
    *_, last = (None, *gradients)
    return torch.zeros_like(tensor) if last is None else last


def accumulated(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Two calls with half of the upstream gradient each, whose gradients add up in ``.grad``."""
    for name in wrt:
        tensors[name].requires_grad_()
    for _ in range(2):
        output = loss(**tensors)
        torch.autograd.backward(output, upstream / 2, inputs=[tensors[name] for name in wrt])
    return output, {name: or_zeros(tensors[name], tensors[name].grad) for name in wrt}


def third_backward(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The last of three backward passes through one graph."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    for keeps in (True, True, False):
        gradients = torch.autograd.grad(output, sources, upstream, retain_graph=keeps, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))


def kept_gradients(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The gradients of a backward pass, after another one with twice the upstream gradient."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    gradients = torch.autograd.grad(output, sources, upstream, retain_graph=True, materialize_grads=True)
    torch.autograd.grad(output, sources, 2 * upstream, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))


def create_graph(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """A backward pass that records itself."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    gradients = torch.autograd.grad(output, sources, upstream, create_graph=True, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))


def hooked(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The gradients that hooks on the tensors see."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    seen: dict[str, list[torch.Tensor | None]] = {name: [] for name in wrt}
    for name in wrt:
        tensors[name].register_hook(seen[name].append)  # type: ignore[no-untyped-call]  # torch's
    output = loss(**tensors)
    torch.autograd.backward(output, upstream, inputs=sources)
    return output, {name: or_zeros(tensors[name], *seen[name]) for name in wrt}


def anomaly_mode(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Forward and backward while autograd looks for anomalies; nan is none here."""
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        return plain(loss, tensors, wrt, upstream)


def other_call_between(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Between forward and backward, a call with halved numbers."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    loss(**{name: tensor.detach() / 2 if name in wrt else tensor for name, tensor in tensors.items()})
    gradients = torch.autograd.grad(output, sources, upstream, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))


def summed(loss: Loss, tensors: Tensors, wrt: Names) -> Result:
    """The sum of the output is differentiated, whose upstream gradient is an expanded one."""
    sources = [tensors[name].requires_grad_() for name in wrt]
    output = loss(**tensors)
    gradients = torch.autograd.grad(output.sum(), sources, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))


def upstream_spread(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """An upstream gradient that is not contiguous."""
    return plain(loss, tensors, wrt, spread(upstream))


def upstream_zeros(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """An upstream gradient in which every second number is 0, from the first on."""
    is_kept = (torch.arange(upstream.numel(), device=upstream.device) % 2 == 1).reshape(upstream.shape)
    return plain(loss, tensors, wrt, upstream * is_kept)


def upstream_infinite(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """An upstream gradient that has overflowed, as with a scale of the loss that is too large."""
    return plain(loss, tensors, wrt, upstream * torch.inf)


def has_several_outputs(call: Call) -> bool:
    """Whether the output of a call has several numbers."""
    return call.upstreams[-1].size > 1


def may_be_summed(call: Call) -> bool:
    """Whether a call has several outputs, and its first upstream gradient is that of their sum."""
    return has_several_outputs(call) and bool(np.all(call.upstreams[0] == 1))


MODES: Mapping[str, Mode] = {
    "accumulated": Mode(accumulated, Promise.AS_PLAIN_IF_FINITE, EVERY_DTYPE, always, helpers=(or_zeros,)),
    "third_backward": Mode(third_backward, Promise.AS_PLAIN, EVERY_DTYPE, always),
    "kept_gradients": Mode(kept_gradients, Promise.AS_PLAIN, EVERY_DTYPE, always),
    "create_graph": Mode(create_graph, Promise.AS_PLAIN, EVERY_DTYPE, always),
    "hooked": Mode(hooked, Promise.AS_PLAIN, EVERY_DTYPE, always, helpers=(or_zeros,)),
    "anomaly_mode": Mode(anomaly_mode, Promise.AS_PLAIN, EVERY_DTYPE, always, helpers=(plain,)),
    "other_call_between": Mode(other_call_between, Promise.AS_PLAIN, EVERY_DTYPE, always),
    "summed": Mode(summed, Promise.ONES, EVERY_DTYPE, may_be_summed),
    "upstream_spread": Mode(
        upstream_spread, Promise.AS_PLAIN, EVERY_DTYPE, has_several_outputs, helpers=(plain, spread)
    ),
    "upstream_zeros": Mode(upstream_zeros, Promise.EVERY_SECOND, EVERY_DTYPE, always, helpers=(plain,)),
    "upstream_infinite": Mode(upstream_infinite, Promise.NOT_FINITE, EVERY_DTYPE, always, helpers=(plain,)),
}
