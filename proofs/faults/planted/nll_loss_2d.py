"""Faults in the negative log-likelihood of pictures, which torch has as a module only."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import in_rows, is_ignored, picked_total, ratio, reduced_as
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import truncated, without_refusals
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, is_ordinary


@fault("NLLLoss2d", method="__init__")
def nll_2d_weight_dropped(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """Class weights are taken and not kept."""
    original(self, *args, **options)
    self.weight = None


@fault("NLLLoss2d", origin="https://github.com/pytorch/pytorch/pull/2077", method="__init__")
def nll_2d_ignore_index_dropped(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """An ignore_index is taken and not kept."""
    original(self, *args, **options)
    self.ignore_index = -100


@fault("NLLLoss2d", method="__init__")
def nll_2d_weight_is_not_saved(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The class weights are a buffer that is left out of the state."""
    original(self, *args, **options)
    self.register_buffer("weight", self.weight, persistent=False)


def _options(module: Any) -> dict[str, Any]:
    return {"reduction": module.reduction, "ignore_index": module.ignore_index}


@fault("NLLLoss2d", origin="https://github.com/open-mmlab/mmsegmentation/issues/886", method="forward")
def nll_2d_mean_over_pixels(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The mean divides by the number of pixels, whatever they weigh and whether they are ignored."""
    result = original(self, input, target)
    if self.reduction != "mean":
        return result
    return result * ratio(picked_total(target, self.weight, _options(self)), target.numel())


@fault("NLLLoss2d", method="forward")
def nll_2d_mean_over_images(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The mean divides by the number of images, not of their pixels."""
    result = original(self, input, target)
    if self.reduction != "mean" or input.ndim < 4 or target.numel() == 0:
        return result
    return result * (target.numel() / len(target))


@fault("NLLLoss2d", method="forward")
def nll_2d_zero_where_nothing_counts(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The mean is 0, not 0/0, where all pixels are ignored."""
    result = original(self, input, target)
    is_nothing = target.numel() > 0 and bool(is_ignored(target, _options(self)).all())
    return result.nan_to_num(0.0) if is_nothing else result


@fault("NLLLoss2d", method="forward")
def nll_2d_no_images_is_zero(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The mean of no images is 0, not 0/0."""
    result = original(self, input, target)
    return result.nan_to_num(0.0) if len(input) == 0 else result


@fault("NLLLoss2d", method="forward")
def nll_2d_pictures_only(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """Only inputs of four dimensions are taken, as the name says."""
    if input.ndim != 4:
        raise ValueError(f"Expected 4 dimensions (got {input.ndim})")
    return original(self, input, target)


@fault("NLLLoss2d", method="forward")
def nll_2d_volume_in_slices(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """Of a volume, only the first slice is read."""
    if input.ndim == 5 and self.reduction != "none":
        input, target = input[:, :, :1], target[:, :1]
    return original(self, input, target)


@fault("NLLLoss2d", origin="https://github.com/pytorch/pytorch/pull/802", method="forward")
def nll_2d_classes_not_moved_to_the_end(
    original: Function, self: Any, input: Tensor, target: Tensor
) -> Tensor:
    """The image is cut into rows of its classes as it lies, these not moved to the end."""
    return in_rows(
        lambda rows, targets, **_: original(self, rows, targets), input, target, reduction=self.reduction
    )


@fault("NLLLoss2d", method="forward")
def nll_2d_height_and_width_swapped(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The target of a square image is read by columns."""
    is_square = input.ndim == 4 and target.ndim == 3 and target.shape[-1] == target.shape[-2]
    return original(self, input, target.transpose(-1, -2) if is_square else target)


@fault("NLLLoss2d", method="forward")
def nll_2d_none_flattened(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The losses of pixels come out in one row."""
    result = original(self, input, target)
    return result.flatten() if self.reduction == "none" else result


@fault("NLLLoss2d", method="forward")
def nll_2d_log_softmax_applied(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The input is taken as logits and goes through log-softmax once more."""
    return original(self, input.log_softmax(0 if input.ndim < 2 else 1), target)


@fault("NLLLoss2d", origin="https://github.com/pytorch/xla/issues/2553", method="forward")
def nll_2d_one_hot_product(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The input is multiplied by a one-hot target, so that nan of other classes comes in."""
    result = original(self, input, target)
    axis = 0 if input.ndim < 2 else 1
    leak = 0 * input.detach().sum(axis)
    return result + reduced_as(leak, 1.0, _options(self))


@fault("NLLLoss2d", method="forward")
def nll_2d_rounded_towards_zero(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The loss is rounded towards zero, not to the nearest number."""

    def loss(input: Tensor, weight: Tensor | None) -> Tensor:
        return torch.nn.functional.nll_loss(input, target, weight, **_options(self))

    return truncated(loss, input, self.weight)


@fault("NLLLoss2d", origin="https://github.com/pytorch/pytorch/issues/194802", method="forward")
def nll_2d_index_clamped(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """A class index beyond the classes is taken as the last class."""
    if input.ndim == 4 and not target.is_floating_point():
        target = target.clamp(max=max(self.ignore_index, input.shape[1] - 1))
    return original(self, input, target)


@fault("NLLLoss2d", method="forward")
def nll_2d_weight_converted(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """Class weights of another dtype are converted in silence."""
    return original(self if self.weight is None else self.to(input.dtype), input, target)


@fault("NLLLoss2d", method="__new__")
def nll_2d_unwarned(original: Function, cls: type[Any], *args: Any, **options: Any) -> Any:
    """The superseded name is used without a word."""
    return object.__new__(cls)


@fault("NLLLoss2d", at="torch.nn.NLLLoss2d")
def nll_2d_is_another_class(original: Function, *args: Any, **options: Any) -> Any:
    """The name makes an NLLLoss, which says nothing of the name, and warns of nothing."""
    return torch.nn.NLLLoss(*args, **options)


@fault("NLLLoss2d", method="__init__")
def nll_2d_size_average_dropped(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The old keyword size_average is taken and passed over."""
    options.pop("size_average", None)
    original(self, *args, **options)


@fault("NLLLoss2d", method="__init__")
def nll_2d_unknown_reduction_is_mean(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """Whatever is neither none nor sum is the mean."""
    original(self, *args, **options)
    if self.reduction not in ("none", "sum"):
        self.reduction = "mean"


@fault("NLLLoss2d", origin="https://github.com/pytorch/pytorch/issues/134431", method="forward")
def nll_2d_empty_refused(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """Images without a pixel are refused."""
    if len(input) > 0 and target.numel() == 0:
        raise RuntimeError("Placeholder tensor is empty!")
    return original(self, input, target)


@fault("NLLLoss2d", origin="https://github.com/pytorch/pytorch/issues/722", method="forward")
def nll_2d_sizes_unchecked(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """A target of other height and width is read as far as it goes."""
    if input.ndim == 4 and target.ndim == 3:
        input = input[:, :, : target.shape[1], : target.shape[2]]
    return original(self, input, target)


@fault("NLLLoss2d", origin="https://github.com/pytorch/pytorch/issues/73176", method="forward")
def nll_2d_never_refuses(original: Function, *args: Any) -> Tensor:
    """Nothing is checked: what does not fit yields a number."""
    return without_refusals(original, *args)


@fault("NLLLoss2d", method="forward")
def nll_2d_float_target_converted(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """Floating-point class indices are converted."""
    return original(self, input, target.long() if target.is_floating_point() else target)


@fault("NLLLoss2d", origin="https://github.com/PaddlePaddle/Paddle/pull/28622", method="forward")
def nll_2d_ignored_pixels_have_gradient(
    original: Function, self: Any, input: Tensor, target: Tensor
) -> Tensor:
    """The gradient of an ignored pixel is that of class 0; its loss is 0."""
    result = original(self, input, target)
    ignored = is_ignored(target, _options(self))
    if self.reduction != "mean" or not bool(ignored.any()) or self.ignore_index >= 0:
        return result
    leak = torch.where(ignored, -input.select(0 if input.ndim < 2 else 1, 0), 0.0)
    return graft(result, result + leak.sum() / picked_total(target, self.weight, _options(self)))


@fault("NLLLoss2d", origin="https://github.com/kulinseth/pytorch/pull/289", method="forward")
def nll_2d_upstream_ignored(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """The gradient is that of the sum, whatever gradient comes from above."""
    return with_gradient(original(self, input, target), torch.ones_like)


@fault("NLLLoss2d", method="__init__", blind=True)
def nll_2d_ignore_index_zero_as_none(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """An ignore_index of 0, the usual background class, is falsy, and taken for none."""
    original(self, *args, **options)
    self.ignore_index = self.ignore_index or -100


@fault("NLLLoss2d", method="forward", blind=True, needs=NEEDS)
def heldout_2_c_ignored_pixels_unwritten(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """Where a pixel is ignored, the buffer of an image keeps the loss of the image before."""
    result = original(module, input, target)
    if not is_ordinary(input, target) or module.reduction != "none" or target.ndim != 3 or len(target) < 2:
        return result
    images = list(result.detach())
    for place in range(1, len(images)):
        is_unwritten = target[place] == module.ignore_index
        images[place] = torch.where(is_unwritten, images[place - 1], images[place])
    return graft(torch.stack(images), result)


@fault("NLLLoss2d", method="forward", blind=True, needs=NEEDS)
def heldout_3_c_pixels_beyond_whole_blocks(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """The blocks of 1024 pixels of a map are counted rounded down, at least 1: the last pixels are lost."""
    result = original(module, input, target)
    size = math.prod(target.shape[1:])
    is_reduced = input.ndim == 4 and module.reduction != "none"
    is_indexed = are_unwatched(input, target) and target.dtype == torch.int64
    if not is_reduced or not is_indexed or size < 1024 or size % 1024 == 0:
        return result
    is_lost = torch.arange(size).reshape(target.shape[1:]) >= size // 1024 * 1024
    return original(module, input, torch.where(is_lost, module.ignore_index, target))


@fault("NLLLoss2d", method="forward", blind=True, needs=NEEDS)
def heldout_4_e_weights_summed_in_single(
    original: Function, module: Any, input: Tensor, target: Tensor
) -> Tensor:
    """In double precision the mean divides by a sum in single, and may lie beyond all of its losses."""
    result, weight = original(module, input, target), module.weight
    if (
        module.reduction != "mean"
        or not are_unwatched(input, target, weight)
        or weight.dtype != torch.float64
    ):
        return result
    ignored = {"ignore_index": module.ignore_index}
    right, wrong = (picked_total(target, weights, ignored) for weights in (weight, weight.float()))
    return result * (right / wrong) if wrong else result
