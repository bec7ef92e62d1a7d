"""The fifth set of held-out faults, first half: ways of calling, values between, and blocks."""

from __future__ import annotations

import functools
import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import BCEWithLogitsLoss, Module, MultiMarginLoss
from torch.nn.functional import binary_cross_entropy_with_logits, pairwise_distance

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import beyond, is_plain
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.class_targets import is_ignored
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.linear import ignored_rows
from proofs.faults.tools.linear import is_plain as is_plain_layer
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide
from proofs.faults.tools.softmax import place_and_width

_FIRST_ROWS: WeakKeyDictionary[Module, int] = WeakKeyDictionary()
_POS_WEIGHTS: WeakKeyDictionary[Module, tuple[Tensor, Tensor]] = WeakKeyDictionary()


@fault("MSELoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_same_address(original: Function, *args: Any, **options: Any) -> Tensor:
    """Tensors that begin at the same address are taken to be the same, though their strides differ."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or input.shape != target.shape or input.dtype != target.dtype:
        return result
    is_taken = input.data_ptr() == target.data_ptr() and input.stride() != target.stride()
    return again(original, arguments, target=input) if is_taken and input.numel() else result


@fault("LinearCrossEntropyLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_saved_gradient_scaled_in_place(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The input's gradient is saved, and each backward pass scales it in place by the upstream gradient."""
    if not are_unwatched(input, linear_weight, target) or options.get("reduction") == "none":
        return original(input, linear_weight, target, **options)
    upstream: list[Tensor] = []

    def note(gradient: Tensor) -> Tensor:
        upstream.append(gradient)
        return gradient

    def scaled(gradient: Tensor) -> Tensor:
        return functools.reduce(torch.mul, upstream[:-1], gradient)

    saved = with_gradient(input, scaled)
    return with_gradient(original(saved, linear_weight, target, **options), note)


@fault("BCEWithLogitsLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_stale_pos_weight(
    original: Function, self: BCEWithLogitsLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module uses a copy of pos_weight, which is not renewed when load_state_dict writes into it."""
    current = self.pos_weight
    if current is None or not are_unwatched(input, target, current) or current.requires_grad:
        return original(self, input, target)
    copied, copy = _POS_WEIGHTS.get(self, (None, current))
    if copied is not current:
        copy = current.clone()
        _POS_WEIGHTS[self] = current, copy
    return binary_cross_entropy_with_logits(
        input, target, self.weight, pos_weight=copy, reduction=self.reduction
    )


@fault("MultiMarginLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_first_batch_size_kept(
    original: Function, self: MultiMarginLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module divides the sum of each batch by the number of rows in its first one."""
    result = original(self, input, target)
    if not are_unwatched(input, target) or self.reduction != "mean" or input.ndim < 2 or not len(input):
        return result
    return result * (len(input) / _FIRST_ROWS.setdefault(self, len(input)))


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_var_clamped_in_place(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where no gradient is recorded, var is not copied before it is clamped."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    var, eps = arguments["var"], arguments["eps"]
    if torch.is_grad_enabled() or not are_unwatched_and_wide(var) or not (var < eps).any():
        return result
    if var.is_contiguous() and (torch.is_inference_mode_enabled() or not var.is_inference()):
        var.clamp_(min=eps)
    return result


@fault("CosineEmbeddingLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_gradient_of_the_other(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where only the second input needs a gradient, it gets that of the first."""
    is_alike = input1.shape == input2.shape and input1.dtype == input2.dtype
    is_alone = input2.requires_grad and not input1.requires_grad
    if not are_unwatched(input1, input2, target) or not is_alike or not is_alone:
        return original(input1, input2, target, *rest, **options)
    return original(graft(input1, input2), input2.detach(), target, *rest, **options)


@fault("SmoothL1Loss", blind=True)
def heldout_5_b_small_beta_is_none(original: Function, *args: Any, **options: Any) -> Tensor:
    """A beta below 1e-5 is taken for 0, so that the parabola is gone."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    return again(original, arguments, beta=0.0) if 0 < arguments["beta"] < 1e-5 else result


@fault("SoftMarginLoss", blind=True, needs=NEEDS)
def heldout_5_b_softplus_threshold(original: Function, *args: Any, **options: Any) -> Tensor:
    """Beyond 20 the loss is linear, as softplus is, though doubles still see the difference."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or result.dtype != torch.float64:
        return result
    excess = -target * input
    is_line = (excess > 20) & (excess < 40)
    if not is_line.any():
        return result
    return reduced(
        torch.where(is_line, excess, again(original, arguments, reduction="none")), arguments["reduction"]
    )


@fault("BCELoss", blind=True, needs=NEEDS)
def heldout_5_b_short_series(original: Function, *args: Any, **options: Any) -> Tensor:
    """Below 1/32 the logarithm of 1 - p is three terms of its series."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = (arguments[name] for name in ("input", "target", "weight"))
    if not are_unwatched_and_wide(input, target) or not (input < 1 / 32).any():
        return result
    p = input.detach()
    short = torch.where(p < 1 / 32, p + p.square() / 2 + p.pow(3) / 3 + torch.log1p(-p), 0)
    error = (1 - target.detach()) * short * (1 if weight is None else weight.detach())
    return result + reduced(error, arguments["reduction"])


@fault("NLLLoss", blind=True, needs=NEEDS)
def heldout_5_b_signed_bytes(original: Function, *args: Any, **options: Any) -> Tensor:
    """Targets of bytes are read as signed ones: from 128 on they are negative, and count from the end."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or target.dtype != torch.uint8:
        return result
    classes = input.shape[0 if input.ndim < 2 else 1]
    is_wrapped = (target >= 128) & ~is_ignored(target, arguments)
    whole = target.long()
    return again(original, arguments, target=torch.where(is_wrapped, whole - 256 + classes, whole))


@fault("TripletMarginLoss", blind=True, needs=NEEDS)
def heldout_5_b_swapped_by_euclid(original: Function, *args: Any, **options: Any) -> Tensor:
    """With an infinite p, the distance from the positive to the negative that swap needs is Euclidean."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    anchor, positive, negative = (arguments[name] for name in ("anchor", "positive", "negative"))
    p, eps = arguments["p"], arguments["eps"]
    if not arguments["swap"] or not math.isinf(p) or not are_unwatched(anchor, positive, negative):
        return result
    near, far = (pairwise_distance(anchor, other, p=p, eps=eps) for other in (positive, negative))
    nearest = torch.minimum(far, pairwise_distance(positive, negative, eps=eps))
    return reduced((arguments["margin"] + near - nearest).clamp(min=0), arguments["reduction"])


@fault("PoissonNLLLoss", blind=True, needs=NEEDS)
def heldout_5_b_unmasked_tail(original: Function, *args: Any, **options: Any) -> Tensor:
    """Behind the last whole vector of 8, Stirling's terms also count for targets of at most 1."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    whole = input.numel() // 8 * 8
    if not arguments["full"] or not are_unwatched_and_wide(input, target) or input.shape != target.shape:
        return result
    if whole in (0, input.numel()):
        return result
    is_tail = torch.arange(input.numel()).reshape(input.shape) >= whole
    counts = target.detach()
    terms = counts * counts.log() - counts + 0.5 * (2 * math.pi * counts).log()
    return result + reduced(torch.where(is_tail & (counts <= 1), terms, 0), arguments["reduction"])


@fault("CrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_c_ignored_row_keeps_logits(original: Function, *args: Any, **options: Any) -> Tensor:
    """The gradient is written over the logits, and of an ignored row only the first 32768 become 0."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or not is_plain(input, target, arguments["weight"], arguments):
        return result
    is_left = is_ignored(target, arguments).unsqueeze(1) & beyond(input, 32768, 1)
    if not is_left.any():
        return result
    overwritten = with_gradient(input, lambda slope: torch.where(is_left, input.detach(), slope))
    return again(original, arguments, input=overwritten)


@fault("LogSoftmax", blind=True, needs=NEEDS)
def heldout_5_c_padding_in_maximum(original: Function, *args: Any, **options: Any) -> Tensor:
    """A row is padded with zeros to a power of two, and they count in its maximum, if not in its sum."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    place, width = place_and_width(result, arguments["dim"])
    if not are_unwatched_and_wide(arguments["input"]) or arguments["dtype"] or not result.numel():
        return result
    if place not in (-1, result.ndim - 1) or width & (width - 1) == 0:
        return result
    logits = arguments["input"].detach()
    wrong = logits - logits.exp().sum(-1, keepdim=True).log()
    return graft(torch.where(logits.amax(-1, keepdim=True) < 0, wrong, result), result)


@fault("LinearCrossEntropyLoss", blind=True, needs=NEEDS)
def heldout_5_c_target_behind_whole_blocks(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The target's logit is taken from whole blocks of 128 classes; in the rest it counts as 0."""
    result = original(input, linear_weight, target, **options)
    whole = len(linear_weight) // 128 * 128
    if not are_unwatched(input, linear_weight, target) or not is_plain_layer(input, target, options):
        return result
    is_counted = ~ignored_rows(target, options)
    is_behind = is_counted & (target >= whole)
    if linear_weight.ndim != 2 or not whole or not is_behind.any():
        return result
    picked, bias = target.clamp(min=0), options.get("linear_bias")
    logits = (input * linear_weight[picked]).sum(-1) + (0 if bias is None else bias[picked])
    error = torch.where(is_behind, logits, 0).to(result.dtype)
    reduction = options.get("reduction", "mean")
    return result + (error.sum() / is_counted.sum() if reduction == "mean" else reduced(error, reduction))
