"""Faults in the CTC loss: its gradients, its memory, its shapes and its module."""

from __future__ import annotations

from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, reduced

_LOSS = "CTCLoss"
_MODULE = "torch.nn.CTCLoss"
_CALLS = count()


def _counted(log_probs: Tensor, input_lengths: Tensor) -> Tensor:
    """Which frames of which inputs are within the input's length, (T, N, 1) or (T, 1)."""
    frames = torch.arange(log_probs.shape[0], device=log_probs.device)
    within: Tensor = frames[:, None] < input_lengths.reshape(1, -1)
    return within if log_probs.ndim == 2 else within.unsqueeze(2)


def mass(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """For each input, the sum of all probabilities in its frames, whose gradient is the p of p - posterior.

    It is 0 where zero_infinity leaves no gradient.
    """
    log_probs, _, input_lengths, _ = args
    masses = _summed(log_probs, _counted(log_probs, input_lengths))
    if options.get("zero_infinity"):
        losses = original(*args, **options | {"reduction": "none", "zero_infinity": False})
        masses = torch.where(losses == torch.inf, 0, masses)
    return masses


def _summed(log_probs: Tensor, counts: Tensor) -> Tensor:
    """The probabilities that count, summed: a number for each input, or for the only one."""
    probabilities = torch.where(counts, log_probs, -torch.inf).exp()
    return probabilities.sum((0, 2)) if log_probs.ndim == 3 else probabilities.sum()


def shared(masses: Tensor, target_lengths: Tensor, options: dict[str, Any]) -> Tensor:
    """Numbers for each input, reduced as their losses are."""
    if options.get("reduction", "mean") == "mean":
        return (masses / target_lengths.reshape(masses.shape).clamp(min=1)).mean()
    return reduced(masses, options.get("reduction", "mean"))


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/25833")
def ctc_upstream_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The gradient ignores what flows back from above, where there is no reduction."""
    losses = original(*args, **options)
    return with_gradient(losses, torch.ones_like) if options.get("reduction", "mean") == "none" else losses


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/11750")
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


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/52241")
def ctc_gradient_of_log_probs(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The gradient is -posterior, by the logarithms themselves, where torch's is that by the logits."""
    losses = original(log_probs, *rest, **options)
    return graft(losses, losses - shared(mass(original, log_probs, *rest, **options), rest[2], options))


@fault(_LOSS, origin="https://github.com/tensorflow/tensorflow/issues/41280")
def ctc_frames_beyond_with_gradient(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Frames beyond an input's length have a gradient of p."""
    losses = original(log_probs, *rest, **options)
    masses = _summed(log_probs, ~_counted(log_probs, rest[1]))
    return graft(losses, losses + shared(masses, rest[2], options))


@fault(_LOSS, origin="https://github.com/rwth-i6/returnn/issues/1835")
def ctc_zeroed_with_gradient(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """A loss that zero_infinity made 0 has a gradient of p."""
    losses = original(log_probs, *rest, **options)
    if not options.get("zero_infinity"):
        return losses
    plain = original(log_probs, *rest, **options | {"reduction": "none", "zero_infinity": False})
    masses = _summed(log_probs, _counted(log_probs, rest[1]))
    leak = torch.where(plain == torch.inf, masses, 0)
    return graft(losses, losses + shared(leak, rest[2], options))


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/18215")
def ctc_empty_target_without_gradient(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The loss of an empty target has no gradient."""
    right = original(*args, **options)
    losses = original(*args, **options | {"reduction": "none"})
    has_labels = args[3].reshape(losses.shape) > 0
    moving = torch.where(has_labels, losses, losses.detach())
    return graft(right, shared(moving, args[3], options))


@fault(_LOSS)
def ctc_gradient_of_first_classes(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Classes beyond the first 4096 have no gradient."""
    if log_probs.shape[-1] > 4096:
        log_probs = torch.cat([log_probs[..., :4096], log_probs[..., 4096:].detach()], dim=-1)
    return original(log_probs, *rest, **options)


@fault(_LOSS)
def ctc_gradient_of_first_inputs(
    original: Function, log_probs: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Inputs beyond the first 1000 of a batch have no gradient."""
    if log_probs.ndim == 3 and log_probs.shape[1] > 1000:
        log_probs = torch.cat([log_probs[:, :1000], log_probs[:, 1000:].detach()], dim=1)
    return original(log_probs, *rest, **options)


@fault(_LOSS)
def ctc_mean_gradient_by_batch(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides by the targets' lengths, its gradient by the batch alone."""
    right = original(*args, **options)
    if options.get("reduction", "mean") != "mean":
        return right
    return graft(right, original(*args, **options | {"reduction": "none"}).mean())


@fault(_LOSS)
def ctc_row_keeps_batch(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The loss of an input without a batch has the dimension that the batch was given inside."""
    losses = original(log_probs, *rest, **options)
    return (
        losses.unsqueeze(0) if log_probs.ndim == 2 and options.get("reduction", "mean") == "none" else losses
    )


@fault(_LOSS)
def ctc_read_in_storage_order(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The input's memory is read from front to back, whatever its strides."""
    return original(as_if_contiguous(log_probs), *rest, **options)


@fault(_LOSS)
def ctc_targets_read_in_storage_order(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The memory of padded targets is read from front to back, whatever its strides."""
    if targets.ndim == 2 and not targets.is_contiguous():
        targets = as_if_contiguous(targets).clamp(0, log_probs.shape[-1] - 1)
    return original(log_probs, targets, *lengths, **options)


@fault(_LOSS, origin="https://github.com/pytorch/pytorch/issues/21680", shows_in_modes=True)
def ctc_not_repeatable(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The gradient is summed in an order that differs from call to call, and so its last digit does."""
    factor = 1 + torch.finfo(log_probs.dtype).eps * (next(_CALLS) % 2)
    return original(with_gradient(log_probs, lambda gradient: gradient * factor), *rest, **options)


@fault(_LOSS, at=f"{_MODULE}.__init__")
def ctc_module_zero_infinity_dropped(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The constructor does not keep zero_infinity."""
    original(module, *args, **options)
    module.zero_infinity = False


@fault(_LOSS, at=f"{_MODULE}.__init__")
def ctc_module_blank_a_buffer(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The blank is a buffer, and saved with the module."""
    original(module, *args, **options)
    module.register_buffer("blank_index", torch.tensor(module.blank))


@fault(_LOSS, at=f"{_MODULE}.__init__")
def ctc_module_size_average_accepted(original: Function, module: Any, *args: Any, **options: Any) -> None:
    """The constructor swallows keywords that it does not know."""
    original(
        module, *args, **{name: options[name] for name in options if name not in ("size_average", "reduce")}
    )


@fault(_LOSS, at=f"{_MODULE}.__setstate__")
def ctc_module_copied_without_blank(original: Function, module: Any, state: Any) -> None:
    """A copy of the module has the default blank."""
    original(module, state | {"blank": 0})


@fault(_LOSS, at=f"{_MODULE}.extra_repr")
def ctc_module_shows_blank(original: Function, module: Any) -> str:
    """The module's text names its blank."""
    return f"blank={module.blank}"


class CTCLoss(torch.nn.Module):
    """What the public name stands for in the fault below; found by its own name, for pickle."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__()
        self.blank, self.reduction, self.zero_infinity = blank, reduction, zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor
    ) -> Tensor:
        """Call the function."""
        lengths = input_lengths, target_lengths
        return ctc_loss(log_probs, targets, *lengths, self.blank, self.reduction, self.zero_infinity)


@fault(_LOSS, at=_MODULE)
def ctc_module_not_a_loss(original: Function, *args: Any, **options: Any) -> CTCLoss:
    """The class derives from Module alone."""
    return CTCLoss(*args, **options)
