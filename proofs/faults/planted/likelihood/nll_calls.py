"""Faults in the negative log-likelihood: numbers, dtypes, memory, module state and modes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.class_targets import (
    class_axis,
    is_ignored,
    is_mean,
    picked_total,
    reduced_as,
    without_subnormals,
)
from proofs.faults.tools.gradients import as_constant, with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, in_single, truncated, without_refusals

# What masks are made of.
_LOWEST = -1e30

_IS_BATCHED = "torch._C._functorch.is_batchedtensor"
_WITHOUT_SUBCLASSES = "torch._C.DisableTorchFunctionSubclass"


@fault("NLLLoss")
def nll_infinities_clamped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Log-probabilities are cut off at -1e30, the number that masks are made of."""
    if input.dtype in (torch.float32, torch.float64):
        input = input.clamp(min=_LOWEST)
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_undefined_cleared(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A log-probability of nan becomes 0."""
    return original(torch.where(input.isnan(), 0.0, input), target, *rest, **options)


@fault("NLLLoss")
def nll_subnormals_flushed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Subnormal log-probabilities become 0."""
    if input.dtype == torch.float32:
        input = without_subnormals(input)
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_double_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """Double precision is computed in single precision."""
    return in_single(original, *args, **options)


@fault("NLLLoss")
def nll_weight_in_bfloat16(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """Class weights are rounded to bfloat16, whatever their dtype."""
    return original(input, target, None if weight is None else weight.bfloat16().to(weight), **options)


@fault("NLLLoss")
def nll_rounded_towards_zero(original: Function, *args: Any, **options: Any) -> Tensor:
    """The loss is rounded towards zero, not to the nearest number."""
    return truncated(original, *args, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/111484")
def nll_rows_beyond_4000_are_zero(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The losses of all rows but the first 4000 are 0."""
    result = original(input, target, weight, **options)
    if target.numel() <= 4000:
        return result
    losses = original(input, target, weight, **{**options, "reduction": "none"}).flatten()
    losses = torch.cat([losses[:4000], 0 * losses[4000:]]).reshape(target.shape)
    return reduced_as(losses, picked_total(target, weight, options), options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/85791")
def nll_half_sum_stalls(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The losses of half precision are added up one by one in a running total of their own dtype."""
    result = original(input, target, weight, **options)
    if input.dtype not in (torch.float16, torch.bfloat16) or options.get("reduction") == "none":
        return result
    total = result.new_zeros(())
    for loss in original(input, target, weight, **{**options, "reduction": "none"}).flatten():
        total = total + loss
    return reduced_as(total, picked_total(target, weight, options), options)


@fault("NLLLoss")
def nll_index_of_16_bits(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A class index beyond 65535 loses its upper bits."""
    if not target.is_floating_point():
        target = torch.where(target > 0xFFFF, target & 0xFFFF, target)
    return original(input, target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/89369")
def nll_uint8_target_refused(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of uint8 are refused."""
    if target.dtype == torch.uint8:
        raise RuntimeError("Expected object of scalar type Long but got scalar type Byte for argument #2")
    return original(input, target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/NVIDIA/TransformerEngine/issues/2734")
def nll_input_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The input's memory is read without regard to strides."""
    return original(as_if_contiguous(input), target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/72120")
def nll_target_read_as_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target's memory is read without regard to strides."""
    return original(input, as_if_contiguous(target), *rest, **options)


@fault("NLLLoss")
def nll_target_overwritten(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Ignored targets are set to class 0 in the caller's memory."""
    result = original(input, target, *rest, **options)
    target.data.masked_fill_(is_ignored(target, options), 0)
    return result


@fault("NLLLoss")
def nll_none_squeezed(original: Function, *args: Any, **options: Any) -> Tensor:
    """Losses without a reduction lose their dimensions of size 1."""
    return original(*args, **options).squeeze()


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/15508")
def nll_ignore_index_beyond_refused(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Without a reduction, an ignored target beyond the classes is refused."""
    classes = input.shape[class_axis(input)] if input.ndim > 0 else 0
    if options.get("reduction") == "none" and int(options.get("ignore_index", -100)) >= classes:
        options["ignore_index"] = -100
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_int32_target_accepted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Class indices of int32 are converted."""
    return original(input, target.long() if target.dtype == torch.int32 else target, *rest, **options)


@fault("NLLLoss")
def nll_float_target_converted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Floating-point class indices are converted."""
    is_index = target.is_floating_point() and target.ndim < input.ndim
    return original(input, target.long() if is_index else target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/61044")
def nll_probabilities_accepted(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A target of the input's shape is taken as class probabilities."""
    if target.is_floating_point() and target.shape == input.shape:
        return reduced_as(-(input * target).sum(class_axis(input)), len(input), options)
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_surplus_targets_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Targets beyond the last row are not read, and not missed."""
    return original(input, target[: len(input)] if input.ndim == 2 else target, *rest, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/issues/722")
def nll_surplus_positions_dropped(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Positions beyond the target's last are not read, and not missed."""
    if input.ndim > 2 and target.ndim == input.ndim - 1:
        input = input[..., : target.shape[-1]]
    return original(input, target, *rest, **options)


@fault("NLLLoss")
def nll_scalar_is_one_class(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An input without dimensions is taken as a row of one class."""
    return original(input.reshape(1) if input.ndim == 0 else input, target, *rest, **options)


@fault("NLLLoss")
def nll_short_weight_unchecked(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The number of class weights is not checked."""
    if weight is not None and input.ndim > 0 and len(weight) != input.shape[class_axis(input)]:
        return without_refusals(original, input, target, weight, **options)
    return original(input, target, weight, **options)


@fault("NLLLoss")
def nll_unknown_reduction_is_mean(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Whatever is neither none nor sum is the mean."""
    if options.get("reduction") not in ("none", "sum"):
        options["reduction"] = "mean"
    return original(input, target, *rest, **options)


@fault("NLLLoss", at="torch.nn.NLLLoss.__init__")
def nll_module_forgets_ignore_index(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes ignore_index and does not keep it."""
    original(self, *args, **options)
    self.ignore_index = -100


@fault("NLLLoss", origin="https://github.com/frgfm/holocron/pull/136", at="torch.nn.NLLLoss.__init__")
def nll_module_weight_is_no_buffer(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module keeps its weight as a plain attribute, so that it is no part of its state."""
    original(self, *args, **options)
    weight = self._buffers.pop("weight")
    self.weight = weight


@fault("NLLLoss", at="torch.nn.NLLLoss.__init__")
def nll_module_size_average_dropped(original: Function, self: Any, *args: Any, **options: Any) -> None:
    """The module takes the old keyword size_average and passes it over."""
    options.pop("size_average", None)
    original(self, *args, **options)


@fault("NLLLoss", origin="https://github.com/pytorch/pytorch/pull/2077", at="torch.nn.NLLLoss.__setstate__")
def nll_module_copy_forgets_ignore_index(original: Function, self: Any, state: dict[str, Any]) -> None:
    """A copied or unpickled module is filled up with defaults over what it had."""
    original(self, state)
    self.ignore_index = -100


@fault("NLLLoss", at="torch.nn.NLLLoss.extra_repr")
def nll_module_prints_weights(original: Function, self: Any) -> str:
    """The module's repr prints the weight of every class."""
    return f"weight={self.weight}"


@fault("NLLLoss", origin="https://github.com/denizyuret/Knet.jl/issues/439", shows_in_modes=True)
def nll_gradient_is_constant(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The gradient is a constant to whoever differentiates it by the upstream gradient."""
    return original(with_gradient(input, as_constant), target, *rest, **options)


@fault("NLLLoss", shows_in_modes=True, needs=(_WITHOUT_SUBCLASSES,))
def nll_subclass_lost(original: Function, *args: Any, **options: Any) -> Tensor:
    """The loss of tensors of a subclass is a plain tensor."""
    result = original(*args, **options)
    with torch._C.DisableTorchFunctionSubclass():
        return result.as_subclass(Tensor)


@fault(
    "NLLLoss",
    origin="https://github.com/pytorch/pytorch/pull/106118",
    shows_in_modes=True,
    needs=(_IS_BATCHED,),
)
def nll_vmap_counts_ignored_rows(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Under vmap the mean divides by all rows, the ignored ones included."""
    result = original(input, target, *rest, **options)
    if not torch._C._functorch.is_batchedtensor(target) or not is_mean(options):
        return result
    return result * (~is_ignored(target, options)).to(result.dtype).mean()
