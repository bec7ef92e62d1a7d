"""Faults in how cross entropy is called: refusals, index dtypes, old keywords, module state."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis, is_ignored
from proofs.faults.tools.kernels import without_refusals, without_warnings


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/73176")
def ce_never_refuses(original: Function, *args: Any, **options: Any) -> Tensor:
    """Nothing is checked: what does not fit yields a number."""
    return without_refusals(original, *args, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/39769")
def ce_index_clamped(original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A class index beyond the classes is taken as the last class."""
    if not target.is_floating_point():
        last = input.shape[class_axis(input)] - 1
        target = torch.where(is_ignored(target, options), target, target.clamp(max=last))
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/google-deepmind/optax/issues/1185")
def ce_index_beyond_is_nan(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A class index beyond the classes makes the loss nan and is not refused."""
    if target.is_floating_point():
        return original(input, target, *rest, **options)
    classes = input.shape[class_axis(input)]
    is_beyond = (target >= classes) & ~is_ignored(target, options)
    result = original(input, torch.where(is_beyond, 0, target), *rest, **options)
    return result * torch.nan if bool(is_beyond.any()) else result


@fault("CrossEntropyLoss", origin="https://github.com/chainer/chainer/issues/5127")
def ce_ignore_index_beyond_refused(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An ignore_index has to be one of the classes, or below them all."""
    classes = input.shape[class_axis(input)]
    if not target.is_floating_point() and int(options.get("ignore_index", -100)) >= classes:
        options["ignore_index"] = -100
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_negative_index_from_the_end(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A negative class index counts from the last class."""
    if not target.is_floating_point():
        is_negative = (target < 0) & ~is_ignored(target, options)
        target = torch.where(is_negative, target + input.shape[class_axis(input)], target)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/194802")
def ce_index_of_pixels_unchecked(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The class indices of pictures are read without a check, those of rows are checked."""
    if input.ndim < 4:
        return original(input, target, *rest, **options)
    return without_refusals(original, input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_index_unused_unchecked(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices that label smoothing of 1 makes no use of are not checked."""
    if options.get("label_smoothing", 0.0) == 1:
        return without_refusals(original, input, target, *rest, **options)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_surplus_targets_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Targets beyond the last row are not read, and not missed."""
    return original(input, target[: len(input)] if input.ndim == 2 else target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/722")
def ce_surplus_positions_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Positions beyond the target's last are not read, and not missed."""
    if input.ndim > 2 and target.ndim == input.ndim - 1:
        input = input[..., : target.shape[-1]]
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_short_weight_filled_up(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Classes that have no weight weigh 1."""
    if weight is not None and weight.ndim == 1:
        missing = max(0, input.shape[class_axis(input)] - len(weight))
        weight = torch.nn.functional.pad(weight, (0, missing), value=1.0)
    return original(input, target, weight, **options)


@fault("CrossEntropyLoss")
def ce_weight_flattened(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights of any shape are read as a vector."""
    return original(input, target, None if weight is None else weight.flatten(), **options)


@fault("CrossEntropyLoss")
def ce_int32_target_accepted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of int32 are converted."""
    return original(input, target.long() if target.dtype == torch.int32 else target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_float_index_converted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A floating-point target that is no distribution is converted to class indices."""
    is_index = target.is_floating_point() and target.ndim < input.ndim
    return original(input, target.long() if is_index else target, *rest, **options)


@fault("CrossEntropyLoss", origin="https://github.com/pytorch/pytorch/issues/134767")
def ce_smoothing_cut_to_its_range(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Label smoothing out of its range is moved into it, not refused."""
    smoothing = min(max(options.get("label_smoothing", 0.0), 0.0), 1.0)
    return original(input, target, *rest, **{**options, "label_smoothing": smoothing})


@fault("CrossEntropyLoss")
def ce_unknown_reduction_is_mean(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Whatever is neither none nor sum is the mean."""
    if options.get("reduction") not in ("none", "sum"):
        options["reduction"] = "mean"
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_uint8_target_is_signed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of uint8 are read as int8, so that 255 is -1."""
    if target.dtype == torch.uint8:
        target = target.view(torch.int8).long()
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_uint8_target_wraps_ignore_index(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """For class indices of uint8, ignore_index is converted to uint8, so that -100 is 156."""
    if target.dtype == torch.uint8:
        options["ignore_index"] = int(options.get("ignore_index", -100)) % 256
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_size_average_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The old keyword size_average has no effect and brings no warning."""
    options.pop("size_average", None)
    return original(input, target, *rest, **options)


@fault("CrossEntropyLoss")
def ce_old_keywords_unwarned(original: Function, *args: Any, **options: Any) -> Tensor:
    """The old keywords are taken without a warning."""
    return without_warnings(original, *args, **options)


@fault("CrossEntropyLoss", at="torch.nn.CrossEntropyLoss.__init__")
def ce_module_forgets_label_smoothing(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes label_smoothing and does not keep it."""
    original(self, *args, **options)
    if 0 <= self.label_smoothing <= 1:
        self.label_smoothing = 0.0


@fault(
    "CrossEntropyLoss",
    origin="https://github.com/frgfm/holocron/pull/136",
    at="torch.nn.CrossEntropyLoss.__init__",
)
def ce_module_weight_is_no_buffer(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module keeps its weight as a plain attribute, so that it is no part of its state."""
    original(self, *args, **options)
    weight = self._buffers.pop("weight")
    self.weight = weight


@fault("CrossEntropyLoss", at="torch.nn.CrossEntropyLoss.__init__")
def ce_module_size_average_false_is_none(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes size_average=False as no reduction."""
    original(self, *args, **options)
    if options.get("size_average") is False:
        self.reduction = "none"


@fault("CrossEntropyLoss", at="torch.nn.CrossEntropyLoss.__setstate__")
def ce_module_copy_forgets_label_smoothing(original: Function, self: Any, state: dict[str, Any]) -> None:
    """A copied or unpickled module is filled up with defaults over what it had."""
    original(self, state)
    self.label_smoothing = 0.0


@fault("CrossEntropyLoss", at="torch.nn.CrossEntropyLoss.extra_repr")
def ce_module_prints_weights(original: Function, self: Any) -> str:
    """The module's repr prints the weight of every class."""
    return f"weight={self.weight}"
