"""Right values of the CTC loss, wrong gradients."""

from __future__ import annotations

from itertools import count
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.ctc import counted, mass, shared, summed
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import reduced

_CALLS = count()


@fault("CTCLoss", origin="https://github.com/rwth-i6/returnn/issues/1835", blind=True)
def blind_ctc_impossible_target_has_gradient(original: Function, *args: Any, **options: Any) -> Tensor:
    """With zero_infinity, a target that cannot be aligned leaves the probabilities as its gradient."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if not given["zero_infinity"]:
        return right
    losses = again(original, given, reduction="none", zero_infinity=False).detach()
    scores: Tensor = given["log_probs"]
    frames, characters = (
        torch.as_tensor(given[name], device=scores.device).reshape(losses.shape)
        for name in ("input_lengths", "target_lengths")
    )
    steps = torch.arange(scores.size(0), device=scores.device).reshape(-1, *[1] * losses.dim())
    extra = (scores.exp().sum(-1) * (steps < frames)).sum(0) * losses.isinf()
    if given["reduction"] == "mean":
        extra = extra / characters.clamp(min=1)
    return right + gradient_of(reduced(extra, given["reduction"]))


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/25833")
def ctc_upstream_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The gradient ignores what flows back from above, where there is no reduction."""
    losses = original(*args, **options)
    return with_gradient(losses, torch.ones_like) if options.get("reduction", "mean") == "none" else losses


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/11750")
def ctc_upstream_of_posterior_only(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Of p - posterior, only the posterior is multiplied by what flows back from above."""
    losses = original(log_probs, *rest, **options)
    if options.get("reduction", "mean") == "mean":
        return losses
    masses = mass(original, log_probs, *rest, **options)
    masses = with_gradient(shared(masses, rest[2], options), lambda upstream: 1 - upstream)
    return graft(losses, losses + masses)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/52241")
def ctc_gradient_of_log_probs(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The gradient is -posterior, by the logarithms themselves, where torch's is that by the logits."""
    losses = original(log_probs, *rest, **options)
    return graft(losses, losses - shared(mass(original, log_probs, *rest, **options), rest[2], options))


@fault("CTCLoss", origin="https://github.com/tensorflow/tensorflow/issues/41280")
def ctc_frames_beyond_with_gradient(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Frames beyond an input's length have a gradient of p."""
    losses = original(log_probs, *rest, **options)
    masses = summed(log_probs, ~counted(log_probs, rest[1]))
    return graft(losses, losses + shared(masses, rest[2], options))


@fault("CTCLoss", origin="https://github.com/rwth-i6/returnn/issues/1835")
def ctc_zeroed_with_gradient(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """A loss that zero_infinity made 0 has a gradient of p."""
    losses = original(log_probs, *rest, **options)
    if not options.get("zero_infinity"):
        return losses
    plain = original(log_probs, *rest, **options | {"reduction": "none", "zero_infinity": False})
    masses = summed(log_probs, counted(log_probs, rest[1]))
    leak = torch.where(plain == torch.inf, masses, 0)
    return graft(losses, losses + shared(leak, rest[2], options))


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/18215")
def ctc_empty_target_without_gradient(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss of an empty target has no gradient."""
    right = original(*args, **options)
    losses = original(*args, **options | {"reduction": "none"})
    has_labels = args[3].reshape(losses.shape) > 0
    moving = torch.where(has_labels, losses, losses.detach())
    return graft(right, shared(moving, args[3], options))


@fault("CTCLoss")
def ctc_gradient_of_first_classes(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Classes beyond the first 4096 have no gradient."""
    if log_probs.shape[-1] > 4096:
        log_probs = torch.cat([log_probs[..., :4096], log_probs[..., 4096:].detach()], dim=-1)
    return original(log_probs, *rest, **options)


@fault("CTCLoss")
def ctc_gradient_of_first_inputs(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Inputs beyond the first 1000 of a batch have no gradient."""
    if log_probs.ndim == 3 and log_probs.shape[1] > 1000:
        log_probs = torch.cat([log_probs[:, :1000], log_probs[:, 1000:].detach()], dim=1)
    return original(log_probs, *rest, **options)


@fault("CTCLoss")
def ctc_mean_gradient_by_batch(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides by the targets' lengths, its gradient by the batch alone."""
    right = original(*args, **options)
    if options.get("reduction", "mean") != "mean":
        return right
    return graft(right, original(*args, **options | {"reduction": "none"}).mean())


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/21680", shows_in_modes=True)
def ctc_not_repeatable(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The gradient is summed in an order that differs from call to call, and so its last digit does."""
    factor = 1 + torch.finfo(log_probs.dtype).eps * (next(_CALLS) % 2)
    return original(with_gradient(log_probs, lambda gradient: gradient * factor), *rest, **options)
