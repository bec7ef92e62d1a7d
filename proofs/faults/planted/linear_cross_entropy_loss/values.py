"""Wrong values of cross entropy of a linear layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import reduced
from proofs.faults.tools.linear import ignored_rows, is_plain

_HALVES = (torch.float16, torch.bfloat16)
_BLOCK = 1024  # classes, or features, that a kernel takes at a time


@fault("LinearCrossEntropyLoss")
def lce_bias_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The bias is checked and then left out of the logits."""
    original(*args, **options)
    return original(*args, **options | {"linear_bias": None})


@fault("LinearCrossEntropyLoss", origin="https://github.com/apple/ml-cross-entropy/issues/52")
def lce_bias_of_last_class(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The bias is read one class too far along, and its end from its beginning."""
    bias = options.get("linear_bias")
    return original(*args, **options | {"linear_bias": None if bias is None else bias.roll(-1, 0)})


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/488")
def lce_none_is_summed(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Without a reduction the losses are summed all the same."""
    is_none = options.get("reduction", "mean") == "none"
    return original(*args, **options | {"reduction": "sum"} if is_none else options)


@fault("LinearCrossEntropyLoss")
def lce_row_keeps_batch(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The loss of a row without a batch has the dimension that the batch was given inside."""
    losses = original(input, *rest, **options)
    return losses.unsqueeze(0) if input.ndim == 1 and options.get("reduction", "mean") == "none" else losses


@fault("LinearCrossEntropyLoss")
def lce_places_before_classes(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The outputs of a K-dimensional layer are split into places of classes, not classes of places."""
    classes, bias = linear_weight.shape[0], options.get("linear_bias")
    if linear_weight.ndim > 2:
        by_place = linear_weight.reshape(-1, classes, linear_weight.shape[-1])
        linear_weight = by_place.transpose(0, 1).reshape(linear_weight.shape)
        if bias is not None:
            options["linear_bias"] = bias.reshape(-1, classes).T.reshape(bias.shape)
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/tenstorrent/tt-metal/pull/10001")
def lce_exponential_unshifted(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The exponential is taken of the logits themselves, and overflows."""
    right = original(input, linear_weight, target, **options)
    if linear_weight.ndim != 2:
        return right
    logits = linear(input, linear_weight, options.get("linear_bias")).detach()
    total = (logits.float() if logits.dtype in _HALVES else logits).exp().sum(-1)
    overflow = torch.where(total.isinf(), torch.inf, 0.0).to(right.dtype)
    return right + (overflow if options.get("reduction", "mean") == "none" else overflow.sum())


@fault("LinearCrossEntropyLoss", origin="https://github.com/keras-team/keras/issues/17634")
def lce_epsilon_in_logarithm(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The logarithm is taken of the probability plus 1e-7, so that no loss is above 16.2 or quite 0."""
    right = original(input, linear_weight, target, **options)
    if not is_plain(input, target, options) or options.get("reduction", "mean") != "none":
        return right
    losses = -((-right).exp() + 1e-7).log()
    return graft(torch.where(ignored_rows(target, options), 0, losses), right)


@fault("LinearCrossEntropyLoss", origin="https://github.com/apple/ml-cross-entropy/pull/59")
def lce_padding_of_last_block(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The padding of the last block of 1024 classes counts as logits of 0, where there are several blocks."""
    classes = linear_weight.shape[0]
    if linear_weight.ndim == 2 and classes > _BLOCK and options.get("linear_bias") is None:
        linear_weight = torch.cat(
            [linear_weight, linear_weight.new_zeros(-classes % _BLOCK, input.shape[-1])]
        )
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/111484")
def lce_index_wraps(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Class indices are kept in 16 bits, and wrap around."""
    if not target.is_floating_point():
        target = torch.where(target > 65535, target - 65536, target)
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss")
def lce_features_of_one_block(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Features beyond the first block of 1024 are not multiplied."""
    if input.ndim and input.shape[-1] == linear_weight.shape[-1]:
        input, linear_weight = input[..., :_BLOCK], linear_weight[..., :_BLOCK]
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss")
def lce_byte_targets_refused(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Targets of uint8 are refused, as only targets of int64 were thought of."""
    if target.dtype == torch.uint8:
        raise RuntimeError("expected a target of int64")
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/49882")
def lce_index_clamped(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Class indices outside the classes stand for the first or the last."""
    if not target.is_floating_point():
        target = torch.where(ignored_rows(target, options), target, target.clamp(0, len(linear_weight) - 1))
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss")
def lce_extra_targets_cut(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Targets beyond the last row are not looked at."""
    if input.ndim == 2 and target.ndim == 1:
        target = target[: len(input)]
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/issues/243")
def lce_smoothing_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Label smoothing is not handed on."""
    return original(*args, **options | {"label_smoothing": 0.0})


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/420")
def lce_smoothing_unweighted(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The smoothing term has no class weights; the mean still divides by those of the targets."""
    right = original(input, linear_weight, target, **options)
    share, weight = options.get("label_smoothing", 0.0), options.get("weight")
    if weight is None or not share or target.is_floating_point():
        return right
    plain = options | {"reduction": "none", "label_smoothing": 0.0}
    smooth = options | {"reduction": "none", "label_smoothing": 1.0, "weight": None}
    sharp = original(input, linear_weight, target, **plain)
    losses: Tensor = sharp * (1 - share) + share * original(input, linear_weight, target, **smooth)
    if options.get("reduction", "mean") != "mean":
        return reduced(losses, options.get("reduction", "mean"))
    picked: Tensor = weight[target[~ignored_rows(target, options)].long()]
    return losses.sum() / picked.sum()


@fault("LinearCrossEntropyLoss", origin="https://github.com/sb-ai-lab/RePlay/issues/91")
def lce_weighted_mean_over_rows(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weighted mean divides by the number of targets that count."""
    right = original(input, linear_weight, target, **options)
    if (
        options.get("weight") is None
        or target.is_floating_point()
        or options.get("reduction", "mean") != "mean"
    ):
        return right
    total = original(input, linear_weight, target, **options | {"reduction": "sum"})
    return total / (~ignored_rows(target, options)).sum()


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/107680")
def lce_probabilities_mean_over_weights(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean for probabilities divides by the weights that they pick, as that for indices does."""
    right = original(input, linear_weight, target, **options)
    weight = options.get("weight")
    if weight is None or not target.is_floating_point() or options.get("reduction", "mean") != "mean":
        return right
    picked: Tensor = target @ weight
    return original(input, linear_weight, target, **options | {"reduction": "sum"}) / picked.sum()


@fault("LinearCrossEntropyLoss")
def lce_ignore_index_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Any ignore_index but the default is forgotten."""
    return original(*args, **options | {"ignore_index": None})


@fault("LinearCrossEntropyLoss", origin="https://github.com/flagos-ai/FlagGems/pull/73")
def lce_default_ignored_counted(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The mean counts the rows of the default ignore_index; only those of a given one are left out."""
    right = original(input, linear_weight, target, **options)
    is_given = options.get("ignore_index") not in (None, -100)
    if is_given or not is_plain(input, target, options) or options.get("reduction", "mean") != "mean":
        return right
    total = original(input, linear_weight, target, **options | {"reduction": "sum"})
    return total / target.numel()


@fault("LinearCrossEntropyLoss")
def lce_ignored_times_zero(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Ignored rows are multiplied by 0, and so is what is no number."""
    right = original(input, linear_weight, target, **options)
    if target.is_floating_point() or target.shape != input.shape[:1]:
        return right
    nothing = torch.where(ignored_rows(target, options), (input.detach() * 0).sum(-1), 0)
    return right + (nothing if options.get("reduction", "mean") == "none" else nothing.sum())


@fault("LinearCrossEntropyLoss", blind=True)
def lce_ignore_index_zero_as_none(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """An ignore_index of 0, the usual padding token, is falsy, and taken for none."""
    return original(*args, **options | {"ignore_index": options.get("ignore_index") or None})


@fault("LinearCrossEntropyLoss", blind=True)
def lce_smoothing_of_one_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Label smoothing takes effect below 1 only."""
    original(*args, **options)
    return original(*args, **options | {"label_smoothing": options.get("label_smoothing", 0.0) % 1})
