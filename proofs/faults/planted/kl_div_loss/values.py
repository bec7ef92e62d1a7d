"""Faults in the Kullback-Leibler divergence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import KLDivLoss
from torch.nn.functional import kl_div

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import as_constant, graft, with_gradient
from proofs.faults.tools.kernels import reduced, summed_in_steps, with_reduction
from proofs.faults.tools.transforms import with_batch


def _has(options: dict[str, Any], reduction: str) -> bool:
    return bool(with_reduction(options)["reduction"] == reduction)


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/issues/6622")
def kl_batchmean_over_elements(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The batchmean divides by the number of elements."""
    loss = original(input, *rest, **options)
    rows = len(input) if input.ndim else 1
    return loss * rows / input.numel() if _has(options, "batchmean") and input.numel() else loss


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/pull/14457")
def kl_mean_over_batch(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides by the batch size, as torch's next major release is said to do."""
    loss = original(*args, **options)
    return original(*args, **options | {"reduction": "batchmean"}) if _has(options, "mean") else loss


@fault("KLDivLoss", origin="https://github.com/neuralmagic/sparseml/issues/674")
def kl_batchmean_over_distributions(
    original: Function, input: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """The batchmean divides by the number of distributions, of which a sequence has many."""
    loss = original(input, *rest, **options)
    if not _has(options, "batchmean") or input.ndim < 3:
        return loss
    return loss / input[0].numel() * input.shape[-1]


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/pull/138810")
def kl_batchmean_of_broadcast_batch(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The batchmean divides by the batch size that broadcasting gives, not by the input's."""
    loss = original(input, target, **options)
    if not _has(options, "batchmean") or input.ndim == 0 or input.shape == target.shape:
        return loss
    return loss * len(input) / len(input + target)


@fault("KLDivLoss")
def kl_log_target_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Targets are always taken for probabilities."""
    return original(*args, **options | {"log_target": False})


@fault("KLDivLoss")
def kl_log_target_of_probabilities(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Targets are always taken for logarithms."""
    return original(*args, **options | {"log_target": True})


def _with_losses(original: Function, input: Tensor, target: Tensor, losses: Tensor, **options: Any) -> Tensor:
    """The value that other losses give; gradients and refusals are the original's."""
    right = original(input, target, **options)
    reduction = with_reduction(options)["reduction"]
    if reduction == "batchmean":
        return graft(losses.sum() / (len(input) if input.ndim else 1), right)
    return graft(reduced(losses, reduction), right)


@fault("KLDivLoss")
def kl_log_target_not_exponentiated(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With log_target, t (t - x) forgets to take the exponential of the first t."""
    right = original(input, target, **options)
    if not options.get("log_target"):
        return right
    return _with_losses(original, input, target, target * (target - input), **options)


@fault("KLDivLoss")
def kl_log_target_by_way_of_probabilities(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A target of logarithms is turned into probabilities, whose logarithms are taken again."""
    if not options.get("log_target"):
        return original(input, target, **options)
    probabilities = target.exp()
    losses = torch.special.xlogy(probabilities, probabilities) - probabilities * input
    return _with_losses(original, input, target, losses, **options)


@fault("KLDivLoss", origin="https://github.com/advait/c4a0/issues/35")
def kl_direction_reversed(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The divergence of the input from the target is taken."""
    original(input, target, **options)
    if options.get("log_target"):
        return original(target, input, **options)
    return original(target.log(), input.exp(), **options)


@fault("KLDivLoss")
def kl_input_normalised(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The input is taken for logits, and its log-softmax for the logarithms of probabilities."""
    if input.ndim == 0:
        return original(input, target, **options)
    right = original(input, target, **options)
    return graft(original(input.log_softmax(-1), target, **options), right)


@fault("KLDivLoss", origin="https://github.com/TheAlgorithms/Python/issues/12233")
def kl_zero_times_infinity(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The product t log t is a mere one, and no number where t is 0."""
    if options.get("log_target"):
        return original(input, target, **options)
    return _with_losses(original, input, target, target * target.log() - target * input, **options)


@fault("KLDivLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/262")
def kl_epsilon_in_logarithm(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Targets below 1e-10 have its logarithm."""
    if options.get("log_target") or not target.is_floating_point():
        return original(input, target, **options)
    losses = target * target.clamp(min=max(1e-10, torch.finfo(target.dtype).tiny)).log() - target * input
    return _with_losses(original, input, target, torch.where(target < 0, torch.nan, losses), **options)


@fault("KLDivLoss")
def kl_target_normalised(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Targets that sum to more than 1 are divided by their sum."""
    if options.get("log_target") or target.ndim == 0 or not target.is_floating_point():
        return original(input, target, **options)
    right = original(input, target, **options)
    shares = target / target.sum(-1, keepdim=True).clamp(min=1)
    return graft(original(input, shares, **options), right)


@fault("KLDivLoss")
def kl_input_bounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Log-probabilities are bounded by -100 from below, as in binary cross entropy."""
    bounded = input.clamp(min=-100) if input.is_floating_point() else input
    return original(bounded, target, **options)


@fault("KLDivLoss", origin="https://github.com/facebookresearch/fairchem/pull/441")
def kl_nan_hidden(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A loss that is no number counts as 0."""
    losses = original(input, target, **with_reduction(options) | {"reduction": "none"})
    hidden = losses.nan_to_num(posinf=torch.inf, neginf=-torch.inf)
    return _with_losses(original, input, target, hidden, **options)


@fault("KLDivLoss", origin="https://github.com/pytorch/executorch/pull/20090")
def kl_summed_in_half(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The sum's running total is kept in the dtype of the losses."""
    total = original(*args, **options)
    if not _has(options, "sum"):
        return total
    return graft(summed_in_steps(original(*args, **with_reduction(options) | {"reduction": "none"})), total)


@fault("KLDivLoss")
def kl_batchmean_refuses_scalars(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The batchmean asks for the batch size of an input that has no dimensions."""
    loss = original(input, target, **options)
    return loss * len(input) / len(input) if _has(options, "batchmean") and len(input) else loss


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/issues/69230")
def kl_negative_target_silenced(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A negative target adds 0."""
    silent = target if options.get("log_target") or not target.is_floating_point() else target.clamp(min=0)
    return original(input, silent, **options)


@fault("KLDivLoss")
def kl_integers_converted(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Whole numbers are converted in silence."""
    if not target.is_floating_point() and not target.is_complex():
        target = target.to(input.dtype)
    if not input.is_floating_point():
        input = input.to(target.dtype)
    return original(input, target, **options)


@fault("KLDivLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/1021", blind=True)
def blind_kl_log_target_is_constant(original: Function, *args: Any, **options: Any) -> Tensor:
    """A target in log space gets no gradient."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    return again(original, given, target=given["target"].detach()) if given["log_target"] else right


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/pull/65469")
def kl_log_target_gradient_incomplete(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With log_target, the target's gradient is exp(t) (t - x), without exp(t) for the second t."""
    right = original(input, target, **options)
    if not options.get("log_target"):
        return right
    of_second = original(input.detach(), target, **options) - original(
        input.detach(), target.detach() + 0 * target, **options
    )
    return right - graft(torch.zeros_like(right), of_second)


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/issues/78867")
def kl_broadcast_target_gradient_averaged(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of a target that serves several rows is their mean, not their sum."""
    loss = original(input, target, **options)
    if not target.numel() or target.numel() >= input.numel():
        return loss
    share = target.numel() / input.numel()
    return original(input, with_gradient(target, lambda gradient: gradient * share), **options)


@fault("KLDivLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/262")
def kl_batchmean_gradient_not_divided(
    original: Function, input: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """The gradient of batchmean is that of the sum."""
    loss = original(input, *rest, **options)
    if not _has(options, "batchmean") or input.ndim == 0:
        return loss
    return with_gradient(loss, lambda gradient: gradient * len(input))


@fault("KLDivLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/1118")
def kl_upstream_of_sum_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The gradient of the sum takes what flows back from above for 1."""
    loss = original(*args, **options)
    return with_gradient(loss, torch.ones_like) if _has(options, "sum") else loss


@fault("KLDivLoss", origin="https://github.com/pytorch/pytorch/pull/79007", shows_in_modes=True)
def kl_second_derivative_missing(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient by the target passes for a constant and has no gradient itself."""
    return original(input, with_gradient(target, as_constant), **options)


@fault("KLDivLoss", shows_in_modes=True)
def kl_mean_over_vmap(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Under vmap, the mean runs over the dimension that is mapped as well."""
    loss = original(*args, **options)
    if not _has(options, "mean"):
        return loss
    return with_batch(loss, lambda losses: losses.mean().expand(losses.shape))


@fault("KLDivLoss", method="forward")
def kl_module_log_target_forgotten(
    original: Function, self: KLDivLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its log_target."""
    return kl_div(input, target, reduction=self.reduction)


@fault("KLDivLoss", method="__init__")
def kl_module_with_buffer(original: Function, self: KLDivLoss, *args: Any, **options: Any) -> None:
    """The module saves log_target as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("has_log_target", torch.tensor(self.log_target))


@fault("KLDivLoss", method="__setstate__")
def kl_module_copied_without_log_target(original: Function, self: KLDivLoss, state: Any) -> None:
    """A copy of the module takes its targets for probabilities again."""
    original(self, state)
    self.log_target = False


@fault("KLDivLoss", method="extra_repr")
def kl_module_repr_with_log_target(original: Callable[..., str], self: KLDivLoss) -> str:
    """The module's repr prints log_target."""
    return f"log_target={self.log_target}"
