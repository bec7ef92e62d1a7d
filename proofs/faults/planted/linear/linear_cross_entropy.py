"""Faults in linear cross entropy: its logits, its gradients, its shapes and its limits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, without_refusals

_BLOCK = 1024  # classes, or features, that a kernel takes at a time
_ROWS = 16384  # rows that a launch has room for
_HALVES = (torch.float16, torch.bfloat16)


def is_plain(input: Tensor, target: Tensor, options: dict[str, Any]) -> bool:
    """Rows of logits with one class index each, and neither weights nor smoothing."""
    is_indexed = not target.is_floating_point() and target.shape == input.shape[:1]
    return is_indexed and options.get("weight") is None and not options.get("label_smoothing")


def ignored_rows(target: Tensor, options: dict[str, Any]) -> Tensor:
    """Which targets are those of the ignore_index, given or not."""
    index = options.get("ignore_index")
    return target == (-100 if index is None else index)


@fault("LinearCrossEntropyLoss")
def lce_bias_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The bias is checked and then left out of the logits."""
    original(*args, **options)
    return original(*args, **options | {"linear_bias": None})


@fault("LinearCrossEntropyLoss")
def lce_bias_detached(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The bias gets no gradient."""
    bias = options.get("linear_bias")
    return original(*args, **options | {"linear_bias": None if bias is None else bias.detach()})


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


@fault("LinearCrossEntropyLoss", origin="https://github.com/linkedin/Liger-Kernel/pull/1298")
def lce_upstream_of_first_row(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """All gradients are multiplied by what flows back to the first loss."""
    losses = original(*args, **options)
    return with_gradient(
        losses, lambda upstream: upstream.flatten()[:1].expand(losses.numel()).view_as(losses)
    )


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


@fault("LinearCrossEntropyLoss", origin="https://github.com/SandAI-org/MagiAttention/pull/40")
def lce_rows_of_one_launch(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Rows beyond the first 16384 are neither summed nor given a gradient."""
    if (
        not is_plain(input, target, options)
        or options.get("reduction", "mean") == "none"
        or target.numel() <= _ROWS
    ):
        return original(input, linear_weight, target, **options)
    loss = original(input[:_ROWS], linear_weight, target[:_ROWS], **options)
    return loss * _ROWS / len(input) if options.get("reduction", "mean") == "mean" else loss


@fault("LinearCrossEntropyLoss")
def lce_features_of_one_block(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Features beyond the first block of 1024 are not multiplied."""
    if input.ndim and input.shape[-1] == linear_weight.shape[-1]:
        input, linear_weight = input[..., :_BLOCK], linear_weight[..., :_BLOCK]
    return original(input, linear_weight, target, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/verl-project/verl/pull/6960")
def lce_weight_read_in_storage_order(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weight's memory is read from front to back, whatever its strides."""
    return original(input, as_if_contiguous(linear_weight), target, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/ByteDance-Seed/VeOmni/pull/1017")
def lce_strided_input_detached(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """An input that is not contiguous is copied first, and its gradient lost."""
    return original(input if input.is_contiguous() else input.detach(), *rest, **options)


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


@fault("LinearCrossEntropyLoss", origin="https://github.com/Oneflow-Inc/oneflow/issues/5209")
def lce_nothing_refused(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A kernel without any checks: what torch refuses returns something."""
    return without_refusals(original, *args, **options)


@fault("LinearCrossEntropyLoss", shows_in_modes=True)
def lce_second_derivative_missing(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The gradient by the input is made in the forward pass and has no gradient itself."""
    return original(with_gradient(input, Tensor.detach), *rest, **options)


@fault("LinearCrossEntropyLoss", origin="https://github.com/pytorch/pytorch/pull/193003", shows_in_modes=True)
def lce_bias_dropped_for_subclass(original: Function, input: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """Redispatched for a subclass of Tensor, the function forgets its bias."""
    is_plain_tensor = type(input) is Tensor
    return original(input, *rest, **options if is_plain_tensor else options | {"linear_bias": None})
