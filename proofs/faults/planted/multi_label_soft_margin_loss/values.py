"""Faults in the multi-label soft margin loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import MultiLabelSoftMarginLoss
from torch.nn.functional import multilabel_soft_margin_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import reduced, summed_in_steps

Logarithm = Callable[[Tensor], Tensor]


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/9965", blind=True)
def blind_multilabel_soft_margin_classes_in_dim_one(original: Function, *args: Any, **options: Any) -> Tensor:
    """The classes are summed over dimension 1, also of an input whose last dimension holds them."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    logits: Tensor = given["input"]
    if logits.dim() <= 2:
        return right
    moved = {
        name: None if given[name] is None else given[name].expand_as(logits).movedim(1, -1)
        for name in ("input", "target", "weight")
    }
    return again(original, given, **moved)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/issues/9301")
def mlsm_sum_over_classes(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A row's loss is the sum over its classes."""
    return original(input, target, **options) * (input.shape[-1] if input.ndim else 1)


def _elements(original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """The terms of the loss, before the mean over the classes."""
    single = [None if tensor is None else tensor.unsqueeze(-1) for tensor in (input, target, weight)]
    return original(single[0], single[1], weight=single[2], reduction="none")


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/9965")
def mlsm_losses_of_classes(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Without a reduction there is a loss for each class of a row."""
    result = original(input, target, weight=weight, **options)
    if options.get("reduction", "mean") != "none" or input.ndim == 0:
        return result
    return _elements(original, input, target, weight)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/9965")
def mlsm_classes_are_second(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The classes are sought in the second dimension, where more follow as well."""
    result = original(input, target, weight=weight, **options)
    if input.ndim < 3:
        return result
    losses = _elements(original, input, target, weight).mean(1)
    return reduced(losses, options.get("reduction", "mean"))


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/65690")
def mlsm_unbatched_list(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss of a row without a batch comes as a list of one."""
    result = original(input, target, **options)
    return result.reshape(-1) if result.ndim == 0 and options.get("reduction") == "none" else result


@fault("MultiLabelSoftMarginLoss")
def mlsm_absent_labels_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Labels that do not apply cost nothing."""
    weight = options.pop("weight", None)
    original(input, target, weight=weight, **options)
    present = target if weight is None else target * weight
    return original(input, torch.ones_like(target), weight=present, **options)


@fault("MultiLabelSoftMarginLoss")
def mlsm_labels_exchanged(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Labels that apply and labels that do not change places."""
    original(input, target, **options)
    return original(input, 1 - target, **options)


@fault("MultiLabelSoftMarginLoss")
def mlsm_labels_clipped(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Labels beyond 0 and 1 are cut to these."""
    clipped = target if target.dtype == torch.bool else target.clamp(0, 1)
    return original(input, clipped, **options)


@fault("MultiLabelSoftMarginLoss")
def mlsm_labels_cut_to_whole(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Labels are cut to whole numbers."""
    if not target.is_floating_point():
        return original(input, target, **options)
    return original(input, graft(target.trunc(), target), **options)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/torch/nn/pull/953")
def mlsm_weight_dropped(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weight is forgotten."""
    result = original(input, target, weight=weight, **options)
    plain = original(input, target, **options)
    return plain if plain.shape == result.shape else result


@fault("MultiLabelSoftMarginLoss")
def mlsm_weight_of_present(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weight scales only the labels that apply."""
    result = original(input, target, weight=weight, **options)
    if weight is None:
        return result
    return original(input, target, weight=weight * target + (1 - target), **options)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/issues/61309")
def mlsm_divided_by_weights(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The mean over classes divides by the sum of their weights."""
    result = original(input, target, weight=weight, **options)
    if weight is None or weight.ndim != 1 or weight.numel() != input.shape[-1]:
        return result
    return result * (weight.numel() / weight.detach().sum())


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/PaddlePaddle/Paddle/pull/45595")
def mlsm_weight_of_rows(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Where there are as many rows as classes, the weights belong to the rows."""
    if weight is not None and input.ndim == 2 and weight.shape == input.shape[:1]:
        weight = weight.unsqueeze(1)
    return original(input, target, weight=weight, **options)


@fault("MultiLabelSoftMarginLoss")
def mlsm_weight_flattened(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Of a matrix of weights the first row serves all."""
    if weight is not None and weight.ndim == 2 and input.ndim == 2:
        weight = weight[0]
    return original(input, target, weight=weight, **options)


def _with_logarithm(
    original: Function,
    input: Tensor,
    target: Tensor,
    logarithm: Logarithm,
    *,
    weight: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """The loss with ``logarithm`` in the place of the logarithm of the sigmoid."""
    original(input, target, weight=weight, **options)  # it refuses what it refuses
    terms = -(target * logarithm(input) + (1 - target) * logarithm(-input))
    weighted = terms if weight is None else terms * weight
    losses = weighted.sum(input.ndim - 1) / input.shape[-1]
    return reduced(losses, options.get("reduction", "mean"))


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/issues/1516")
def mlsm_logarithm_of_sigmoid(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The sigmoid is rounded before its logarithm, which is clamped at -100."""
    return _with_logarithm(original, input, target, lambda x: x.sigmoid().log().clamp(min=-100), **options)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/tracel-ai/burn/issues/5373")
def mlsm_exponential_overflows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The exponential overflows for confident wrong answers."""
    return _with_logarithm(original, input, target, lambda x: -torch.log1p(torch.exp(-x)), **options)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/pull/66441")
def mlsm_sum_before_logarithm(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The logarithm of 1 + e is taken of a rounded sum."""

    def logarithm(x: Tensor) -> Tensor:
        return x.clamp(max=0) - torch.log(1 + torch.exp(-x.abs()))

    value = _with_logarithm(original, input, target, logarithm, **options)
    return graft(value, original(input, target, **options))


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/ml-explore/mlx/pull/3909")
def mlsm_mean_in_half(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The rows are summed in their own dtype."""
    result = original(input, target, **options)
    if options.get("reduction", "mean") != "mean" or result.dtype.itemsize > 2:
        return result
    losses = original(input, target, **options | {"reduction": "none"})
    return summed_in_steps(losses) / losses.numel()


@fault("MultiLabelSoftMarginLoss")
def mlsm_weight_slope_missing(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """There is no gradient for the weights."""
    return original(input, target, weight=None if weight is None else weight.detach(), **options)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/deeplearning4j/nd4j/issues/2424")
def mlsm_broadcast_slope_of_mean(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient of labels that serve several rows is the mean over these, not the sum."""
    repeats = max(input.numel() // max(target.numel(), 1), 1)
    if not target.is_floating_point():
        return original(input, target, **options)
    return original(input, with_gradient(target, lambda gradient: gradient / repeats), **options)


@fault(
    "MultiLabelSoftMarginLoss", origin="https://github.com/pytorch/pytorch/issues/193003", shows_in_modes=True
)
def mlsm_subclass_without_weight(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """For a subclass of Tensor the weight is dropped."""
    kept = weight if type(input) is Tensor else None
    return original(input, target, weight=kept, **options)


@fault("MultiLabelSoftMarginLoss", origin="https://github.com/torch/nn/pull/953", method="forward")
def mlsm_module_weight_forgotten(
    original: Function, self: MultiLabelSoftMarginLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its weight."""
    return multilabel_soft_margin_loss(input, target, reduction=self.reduction)


@fault("MultiLabelSoftMarginLoss", blind=True)
def mlsm_classes_of_one_block(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A row's loss is summed over its first 512 classes, and divided by the number of all."""
    result = original(input, target, *rest, **options)
    classes = input.shape[-1] if input.ndim else 0
    if classes <= 512 or rest or options.get("weight") is not None or input.shape != target.shape:
        return result
    return original(input[..., :512], target[..., :512], **options) * (512 / classes)
