"""Faults in what cross entropy takes and refuses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import class_axis, is_ignored
from proofs.faults.tools.kernels import without_refusals


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
def ce_index_unused_unchecked(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices that label smoothing of 1 makes no use of are not checked."""
    if options.get("label_smoothing", 0.0) == 1:
        return without_refusals(original, input, target, *rest, **options)
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
def ce_float_index_converted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A floating-point target that is no distribution is converted to class indices."""
    is_index = target.is_floating_point() and target.ndim < input.ndim
    return original(input, target.long() if is_index else target, *rest, **options)


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
