"""Faults in the squared error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import MSELoss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft, with_gradient
from proofs.faults.tools.kernels import read_as_another, reduced
from proofs.faults.tools.modules import WeightedLossClass
from proofs.faults.tools.ordinary import NEEDS, are_real, are_unwatched, are_unwatched_and_wide
from proofs.faults.tools.uncompiled import uncompiled


@fault("MSELoss", origin="https://github.com/torch/nn/issues/887")
def mse_weight_of_target(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight multiplies the target, not the square."""
    weight = options.pop("weight", None)
    if weight is None or weight.shape != input.shape:
        return original(input, target, weight=weight, **options)
    return original(input, target * weight, **options)


@fault("MSELoss")
def mse_weight_squared(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The weight multiplies the difference, and is squared with it."""
    weight = options.get("weight")
    if weight is None or options.get("reduction") == "mean":
        return original(input, target, **options)
    return original(input, target, **options | {"weight": weight.square()})


@fault("MSELoss")
def mse_weight_broadcast(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A weight that broadcasts to the input's shape is taken."""
    weight = options.get("weight")
    if weight is not None and weight.numel() and weight.ndim == input.ndim:
        fits = all(mine in (1, size) for mine, size in zip(weight.shape, input.shape, strict=True))
        options["weight"] = weight.expand(input.shape) if fits else weight
    return original(input, target, **options)


@fault("MSELoss", origin="https://github.com/tensorflow/tensorflow/issues/27190")
def mse_none_averages_rows(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Without a reduction, the last dimension is averaged."""
    value = original(input, target, **options)
    return value.mean(-1) if value.ndim > 1 and options.get("reduction") == "none" else value


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/issues/4938")
def mse_same_size_for_same_shape(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A target of another shape, but as many elements, is not broadcast; it is taken element by element."""
    value = original(input, target, **options)
    if input.shape == target.shape or input.numel() != target.numel():
        return value
    return original(input, target.reshape(input.shape), **options)


@fault("MSELoss")
def mse_square_expanded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The square is computed as x^2 - 2 x t + t^2."""
    value = original(input, target, **options)
    if options.get("weight") is not None:
        return value
    wide, narrow = input.detach(), target.detach()
    expanded = wide.square() - 2 * wide * narrow + narrow.square()
    return graft(reduced(expanded.to(value.dtype), options.get("reduction", "mean")), value)


@fault("MSELoss")
def mse_square_bounded(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Infinite squares are bounded by the largest number."""
    losses = original(input, target, **options)
    return graft(losses.clamp(max=torch.finfo(losses.dtype).max).detach(), losses)


@fault("MSELoss", origin="https://github.com/scikit-learn/scikit-learn/issues/28827")
def mse_bytes_wrap(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The square of a difference of bytes is a byte."""
    value = original(input, target, **options)
    if input.dtype != torch.uint8:
        return value
    wrapped = (input - target.detach().to(torch.uint8)).square().to(target.dtype)
    return graft(reduced(wrapped, options.get("reduction", "mean")), value)


@fault("MSELoss")
def mse_booleans_differ_or_not(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Beside a target of booleans, the input counts as one: as whether it is 0."""
    value = original(input, target, **options)
    if target.dtype != torch.bool:
        return value
    differs = (input.bool() ^ target).to(input.dtype)
    return graft(reduced(differs, options.get("reduction", "mean")), value)


@fault("MSELoss")
def mse_weight_without_share_of_mean(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The weighted mean's gradient by the weight forgets that the sum of the weights divides it."""
    weight = options.get("weight")
    if weight is None or options.get("reduction") != "mean":
        return original(input, target, **options)
    value = original(input, target, **options)
    total: Tensor = weight.sum().detach()
    return graft(value, original(input, target, **options | {"reduction": "sum"}) / total)


@fault("MSELoss")
def mse_slope_without_two(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient lacks its factor 2."""
    return original(
        *(with_gradient(tensor, lambda slope: slope / 2) for tensor in (input, target)), **options
    )


@fault("MSELoss", origin="https://github.com/flagos-ai/FlagGems/issues/5212")
def mse_upstream_for_the_first_alone(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Of a reduced loss, only the first element's gradient is multiplied by the right upstream gradient."""

    def change(gradient: Tensor) -> Tensor:
        first = torch.zeros_like(gradient)
        first.view(-1)[:1] = gradient.reshape(-1)[:1]
        return first

    if options.get("reduction", "mean") == "none":
        return original(input, target, **options)
    return original(with_gradient(input, change), target, **options)


@fault("MSELoss")
def mse_slope_from_square(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The gradient is computed from the root of the square, which has vanished or overflowed."""
    value = original(input, target, **options)
    if options.get("reduction") == "mean" or options.get("weight") is not None:
        return value
    difference = input - target
    root = difference.detach().square().sqrt() * difference.detach().sign()
    return graft(value, reduced(2 * root * difference, options.get("reduction", "sum")))


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/issues/94086")
def mse_no_gradient_of_mixed_precision(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Backward refuses an input and a target of different precision, which forward has taken."""

    def refuse(gradient: Tensor) -> Tensor:
        raise RuntimeError("Found dtype Double but expected Float")

    if not input.is_floating_point() or not target.is_floating_point() or input.dtype == target.dtype:
        return original(input, target, **options)
    return original(with_gradient(input, refuse), target, **options)


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/issues/10009")
def mse_none_is_sum(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Where the target has a gradient, the losses are summed without being asked for it."""
    if target.requires_grad and options.get("reduction") == "none":
        options["reduction"] = "sum"
    return original(input, target, **options)


@fault(
    "MSELoss",
    origin="https://github.com/pytorch/pytorch/pull/125696",
    blind=True,
    needs=("torch._C._functorch.is_functorch_wrapped_tensor",),
)
def blind_mse_strided_output_filled_in_order(original: Function, *args: Any, **options: Any) -> Tensor:
    """An output with the strides of a transposed input is filled as though it were contiguous."""
    right = original(*args, **options)
    if torch._C._functorch.is_functorch_wrapped_tensor(right) or right.is_contiguous():
        return right
    filled: Tensor = right.contiguous().as_strided(right.shape, right.stride())
    return filled


@fault("MSELoss")
def mse_weight_read_as_input(
    original: Function,
    input: Tensor,
    target: Tensor,
    *rest: Any,
    weight: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """The weight is read with the strides of the input."""
    read = None if weight is None else read_as_another(weight, input)
    return original(input, target, *rest, weight=read, **options)


@fault("MSELoss", origin="https://github.com/linkedin/Liger-Kernel/issues/272")
def mse_input_overwritten(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference is left where the input was."""
    value = original(input.clone(), target, **options)
    if input.is_contiguous() and input.is_floating_point() and input.shape == target.shape:
        input.detach().sub_(target.detach())
    return value


class _WeightedMSELoss(MSELoss, WeightedLossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What MSELoss may become one day."""


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/pull/145169", at="torch.nn.MSELoss")
def mse_module_weighted(original: Callable[..., MSELoss], *args: Any, **options: Any) -> MSELoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedMSELoss
    return module


@fault("MSELoss", blind=True, shows_in_modes=True)
def blind_mse_root_of_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The root of the weight multiplies the difference, and a negative weight has no root."""
    weight = options.get("weight")
    if weight is not None:
        options["weight"] = torch.where(weight < 0, torch.nan, weight)
    return original(input, target, **options)


@fault(
    "MSELoss",
    origin="https://github.com/pytorch/pytorch/pull/101507",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_2_a_input_read_from_start(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Where the target begins at the start of its memory, so does what is read as the input."""
    result = original(input, target, *rest, **options)
    if not are_real(input, target) or target.storage_offset() or not input.storage_offset():
        return result
    from_start = input.detach().as_strided(input.shape, input.stride(), 0)
    arguments = named_arguments(original, input, target, *rest, **options)
    return again(original, arguments, input=graft(from_start, input))


@fault("MSELoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_same_address(original: Function, *args: Any, **options: Any) -> Tensor:
    """Tensors that begin at the same address are taken to be the same, though their strides differ."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_unwatched(input, target) or input.shape != target.shape or input.dtype != target.dtype:
        return result
    is_taken = input.data_ptr() == target.data_ptr() and input.stride() != target.stride()
    return again(original, arguments, target=input) if is_taken and input.numel() else result


@fault("MSELoss", blind=True, needs=NEEDS)
@uncompiled
def heldout_6_e_total_weight_plus_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """The weighted mean divides by the sum of the weights plus 1e-8, and shrinks with small weights."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    input, target, weight = given["input"], given["target"], given.get("weight")
    if weight is None or given["reduction"] != "mean" or not are_unwatched_and_wide(input, target, weight):
        return result
    total: Tensor = weight.sum() + 1e-8
    return again(original, given, reduction="sum") / total
