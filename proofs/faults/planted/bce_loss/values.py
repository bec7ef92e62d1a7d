"""Faults in binary cross entropy."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import BCELoss
from torch.nn.functional import binary_cross_entropy

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import named_arguments
from proofs.faults.tools.dtypes import like
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, reduced, with_reduction
from proofs.faults.tools.kinks import with_added_gradient
from proofs.faults.tools.vectors import as_asked, unreduced


@fault("BCELoss", origin="https://github.com/bfortuner/ml-glossary/issues/28")
def bce_arguments_swapped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Input and target change places."""
    original(input, target, **options)
    return original(target, input, **options)


def _bounded(logarithm: Tensor) -> Tensor:
    return logarithm.clamp(min=-100)


def _with_logarithms(
    original: Function, input: Tensor, target: Tensor, log_p: Tensor, log_q: Tensor, **options: Any
) -> Tensor:
    """The value that other logarithms of p and 1 - p give; gradients and refusals are the original's."""
    right = original(input, target, **options)
    losses, weight = (target - 1) * log_q - target * log_p, options.get("weight")
    losses = losses if weight is None else losses * weight
    return graft(reduced(losses, with_reduction(options)["reduction"]), right)


@fault("BCELoss", origin="https://github.com/deeplearning4j/nd4j/issues/1328")
def bce_negative_term_dropped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of 0 costs nothing: the term of 1 - p is left out."""
    return _with_logarithms(
        original, input, target, _bounded(input.log()), torch.zeros_like(input), **options
    )


@fault("BCELoss", origin="https://github.com/LBANN/lbann/pull/189")
def bce_target_rounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Soft targets are rounded to a yes or a no."""
    return original(input, target + (target.round() - target).detach(), **options)


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/pull/31365")
def bce_epsilon_in_logarithm(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The logarithms are kept finite by 1e-12 added to p and 1 - p, not by a bound of -100."""
    log_p, log_q = (input + 1e-12).log(), (1 - input + 1e-12).log()
    return _with_logarithms(original, input, target, log_p, log_q, **options)


@fault("BCELoss", origin="https://github.com/pytorch/xla/issues/2446")
def bce_logarithm_unbounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The logarithms have no bound, so that certainty gives 0 times infinity."""
    return _with_logarithms(original, input, target, input.log(), (-input).log1p(), **options)


@fault("BCELoss")
def bce_bound_of_single_precision(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The logarithms are bounded by that of the smallest normal number of single precision, -87.3."""
    log_p, log_q = input.log().clamp(min=-87.3365), (-input).log1p().clamp(min=-87.3365)
    return _with_logarithms(original, input, target, log_p, log_q, **options)


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/pull/92145")
def bce_logarithm_of_difference(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The logarithm is taken of the rounded 1 - p, not by log1p."""
    log_p, log_q = _bounded(input.log()), _bounded((1 - input).log())
    return _with_logarithms(original, input, target, log_p, log_q, **options)


@fault("BCELoss")
def bce_half_logarithm_of_difference(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """In half precision alone, the logarithm is taken of the rounded 1 - p."""
    right = original(input, target, **options)
    if input.dtype not in (torch.float16, torch.bfloat16):
        return right
    log_p, log_q = _bounded(input.log()), _bounded((1 - input).log())
    return _with_logarithms(original, input, target, log_p, log_q, **options)


@fault("BCELoss", origin="https://github.com/open-mmlab/mmdetection/issues/845")
def bce_weight_applied_twice(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The weight multiplies the loss once inside and once more outside."""
    weight = options.get("weight")
    return original(*args, **options | {"weight": None if weight is None else weight * weight})


@fault("BCELoss")
def bce_mean_over_rows(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of rows, not of elements."""
    loss = original(input, *rest, **options)
    if with_reduction(options)["reduction"] != "mean" or input.ndim < 2 or len(input) == 0:
        return loss
    return loss * input[0].numel()


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/5157")
def bce_weight_of_rows(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """A vector of weights that is as long as the batch is taken to belong to the rows."""
    weight = options.get("weight")
    if weight is not None and weight.shape == input.shape[:1] and input.ndim == 2:
        options["weight"] = weight.unsqueeze(1)
    return original(input, *rest, **options)


@fault("BCELoss")
def bce_negative_weight_ignored(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Weights below 0 count as 0."""
    weight = options.get("weight")
    return original(*args, **options | {"weight": None if weight is None else weight.clamp(min=0)})


@fault("BCELoss")
def bce_mean_of_weighted_elements(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean divides by the number of elements with a weight other than 0."""
    weight: Tensor | None = options.get("weight")
    mean = original(*args, **options)
    if weight is None or with_reduction(options)["reduction"] != "mean":
        return mean
    return mean * weight.numel() / weight.count_nonzero()


@fault("BCELoss")
def bce_first_block_only(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The mean takes up the first 16384 losses and divides by the number of all."""
    mean = original(*args, **options)
    named = with_reduction(options)
    if named["reduction"] != "mean" or mean.isnan():
        return mean
    losses = original(*args, **named | {"reduction": "none"})
    return graft(losses.flatten()[:16384].sum() / losses.numel(), mean)


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/pull/95183")
def bce_target_converted(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of another dtype is converted in silence."""
    return original(input, target.to(input.dtype), **options)


@fault("BCELoss")
def bce_narrowed_to_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of its weight, whatever the probabilities have."""
    weight = options.get("weight")
    result = original(input, target, **options)
    return result if weight is None else like(result, weight)


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/193757", blind=True)
def blind_bce_target_out_of_range_accepted(original: Function, *args: Any, **options: Any) -> Tensor:
    """A target outside of [0, 1] gets a finite value, not a refusal."""
    try:
        return original(*args, **options)
    except RuntimeError as refusal:
        if "elements of target should be between 0 and 1" not in str(refusal):
            raise
    given = named_arguments(original, *args, **options)
    target: Tensor = given["target"]
    likely = given["input"].log().clamp(min=-100)
    unlikely = (1 - given["input"]).log().clamp(min=-100)
    losses = -(target * likely + (1 - target) * unlikely)
    return reduced(losses if given["weight"] is None else losses * given["weight"], given["reduction"])


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/193757")
def bce_target_range_unchecked(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Targets outside [0, 1] are accepted."""
    return original(input, target.nan_to_num().clamp(0, 1), **options)


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/193757")
def bce_input_range_unchecked(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Inputs outside [0, 1] are accepted."""
    return original(input.nan_to_num().clamp(0, 1), target, **options)


@fault("BCELoss", origin="https://github.com/tensorflow/tensorflow/issues/30040")
def bce_shape_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of another shape is broadcast in silence."""
    shape = (input + target).shape
    return original(input.expand(shape), target.expand(shape), **options)


@fault("BCELoss", origin="https://github.com/keras-team/keras/issues/9664")
def bce_flat_at_certainty(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A probability of exactly 0 or 1 has no gradient, be it wrong."""
    is_certain = (input == 0) | (input == 1)
    return original(torch.where(is_certain, input.detach(), input), target, **options)


@fault("BCELoss")
def bce_target_slope_bounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """At a probability of 0 or 1 the gradient by the target is that of the bounded logarithms, 100."""
    is_certain = (input == 0) | (input == 1)
    if options.get("weight") is not None or not is_certain.any():
        return original(input, target, **options)
    slope = torch.where(is_certain, 100 - 200 * input.detach(), 0)
    result = original(input, torch.where(is_certain, target.detach(), target), **options)
    return with_added_gradient(result, as_asked(target * slope, options))


@fault("BCELoss", origin="https://github.com/keras-team/keras/issues/9664")
def bce_probability_clipped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Probabilities are clipped to [1e-7, 1 - 1e-7], where the gradient vanishes."""
    original(input, target, **options)
    epsilon = max(1e-7, torch.finfo(input.dtype).eps / 2)
    return original(input.clamp(epsilon, 1 - epsilon), target, **options)


@fault("BCELoss", origin="https://github.com/keras-team/keras/pull/23633")
def bce_gradient_without_weight(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The value is weighted, its gradient is not."""
    right = original(*args, **options)
    return graft(right, original(*args, **options | {"weight": None}))


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/103316")
def bce_gradient_vanishes_next_to_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient by the input is that of the bounded logarithms: none beyond their bound."""
    logarithms_vary = (input.log() > -100) & ((-input).log1p() > -100)
    return original(torch.where(logarithms_vary, input, input.detach()), target, **options)


@fault("BCELoss")
def bce_gradient_unbounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient divides by p (1 - p) itself, which may be 0 or tiny."""
    variance = ((1 - input) * input).detach()
    factor = variance.clamp(min=1e-12) / variance
    return original(with_gradient(input, lambda gradient: gradient * factor), target, **options)


@fault("BCELoss", origin="https://github.com/tracel-ai/burn/issues/4815")
def bce_weight_read_in_storage_order(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The weight's memory is read from front to back, whatever its strides."""
    weight = options.get("weight")
    return original(*args, **options | {"weight": None if weight is None else as_if_contiguous(weight)})


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/pull/193003", shows_in_modes=True)
def bce_weight_dropped_for_subclass(
    original: Function, input: Tensor, *rest: Tensor, **options: Any
) -> Tensor:
    """Redispatched for a subclass of Tensor, the function forgets its weight."""
    return original(input, *rest, **options if type(input) is Tensor else options | {"weight": None})


@fault("BCELoss", method="forward")
def bce_module_weight_forgotten(original: Function, self: BCELoss, input: Tensor, target: Tensor) -> Tensor:
    """The module calls the function without its weight."""
    return binary_cross_entropy(input, target, reduction=self.reduction)


@fault("BCELoss", blind=True)
def bce_bound_after_weight(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The bound of 100 holds for the weighted loss, not for the logarithm in it."""
    result, losses = original(*args, **options), unreduced(original, *args, **options)
    return as_asked(losses.clamp(max=100), options) if bool((losses > 100).any()) else result
