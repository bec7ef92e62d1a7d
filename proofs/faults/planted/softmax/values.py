"""Faults in softmax."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Softmax

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, is_ordinary
from proofs.faults.tools.softmax import HALVES, dim_of, place_and_width, saturated


@fault("Softmax", origin="https://github.com/intel/torch-xpu-ops/issues/4772", blind=True)
def blind_softmax_tail_past_power_of_two(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """In float32, sizes little above 256, 512 or 1024 are normalised by the sum of their first part."""
    right = original(input, dim, *rest, **options)
    size = right.size(dim) if dim is not None and right.dim() > 0 else 0
    tile = next((tile for tile in (256, 512, 1024) if tile < size <= tile * 3 // 2), 0)
    if tile == 0 or right.dtype is not torch.float32 or dim not in (-1, right.dim() - 1):
        return right
    return right / right[..., :tile].sum(-1, keepdim=True)


def _shares(exponentials: Tensor, dim: int) -> Tensor:
    return exponentials / exponentials.sum(dim, keepdim=True)


@fault("Softmax", origin="https://github.com/huggingface/candle/pull/267")
def softmax_unshifted(original: Function, input: Tensor, dim: int | None = None, **options: Any) -> Tensor:
    """The exponentials are taken of the logits themselves, not of their distance from the largest."""
    right = original(input, dim, **options)
    return graft(_shares(input.exp(), dim_of(input, dim)), right)


@fault("Softmax", origin="https://github.com/twitter-archive/torch-autograd/issues/166")
def softmax_shifted_by_the_largest_of_all(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The logits are shifted by the largest of all rows, below which a whole row may vanish."""
    right = original(input, dim, **options)
    if not input.numel() or not input.isfinite().all():
        return right
    return graft(_shares((input - input.max()).exp(), dim_of(input, dim)), right)


@fault("Softmax", origin="https://github.com/microsoft/onnxruntime/issues/4288")
def softmax_of_flattened_rows(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The dimensions from the given one on are flattened into one, which sums to 1."""
    right = original(input, dim, **options)
    place = dim_of(input, dim) % max(input.ndim, 1)
    return right if input.ndim < 2 else original(input.flatten(place), place, **options).reshape(input.shape)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/pull/9576")
def softmax_along_the_last_dimension(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The result sums to 1 along the last dimension, whichever is given."""
    original(input, dim, **options)
    return original(input, None if dim is None else -1, **options)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/issues/1763")
def softmax_guesses_the_last_dimension(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """Without a dimension, it is the last one."""
    right = original(input, dim, **options)
    return original(input, -1, **options) if dim is None else right


@fault("Softmax", origin="https://github.com/nntrainer/nntrainer/pull/430")
def softmax_of_all(original: Function, input: Tensor, dim: int | None = None, **options: Any) -> Tensor:
    """All of the result sums to 1, not each row of it."""
    right = original(input, dim, **options)
    return right if input.ndim == 0 else original(input.flatten(), 0, **options).reshape(input.shape)


@fault("Softmax")
def softmax_negative_dimension_from_the_front(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """A negative dimension counts from the first one on."""
    right = original(input, dim, **options)
    return right if dim is None or dim >= 0 else original(input, -1 - dim, **options)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/issues/6864")
def softmax_infinity_takes_all(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A logit of +inf takes all the probability, as it would in the limit."""
    right = original(input, *rest, **options)
    return graft(torch.where((input == torch.inf), 1, right), right)


@fault("Softmax", origin="https://github.com/CSSLab/maia2/pull/14")
def softmax_masked_logit_counts(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A logit of -inf counts as 0, which has a share like any other."""
    return original(input.masked_fill((input == -torch.inf), 0), *rest, **options)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/pull/197785")
def softmax_flushes_subnormals(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Probabilities that are subnormal numbers are flushed to 0."""
    right = original(input, *rest, **options)
    return graft(torch.where(right < torch.finfo(right.dtype).tiny, 0, right), right)


@fault("Softmax", origin="https://github.com/huggingface/candle/issues/3727")
def softmax_summed_in_half(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The running total of the exponentials is kept in half precision, where it stops to grow."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    if input.dtype not in HALVES or not input.numel():
        return right
    total = (input - input.amax(place, keepdim=True)).float().exp().sum(place, keepdim=True).to(input.dtype)
    return right * (total / saturated(total)) if (total > saturated(total)).any() else right


@fault("Softmax", origin="https://github.com/linkedin/Liger-Kernel/pull/1252")
def softmax_of_the_first_columns(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """Columns beyond the first 65536 get no probability."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    if input.ndim == 0 or input.shape[place] <= 65536:
        return right
    first = original(input.narrow(place, 0, 65536), place, **options)
    beyond = torch.zeros_like(right.narrow(place, 65536, input.shape[place] - 65536))
    return torch.cat([first, beyond], place)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/issues/147284")
def softmax_wrong_for_some_widths(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """Rows of double precision whose odd width is between 512 and 1024 leave their last column out."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    width = input.shape[place] if input.ndim else 0
    is_affected = 512 < width < 1024 and width % 2 and width % 32 != 31 and input.numel() > width
    if input.dtype != torch.float64 or not is_affected:
        return right
    return right / (1 - right.narrow(place, width - 1, 1))


@fault("Softmax")
def softmax_scalar_has_a_dimension(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A number without dimensions gives a vector of one."""
    return original(input, *rest, **options) if input.ndim else original(input, *rest, **options).reshape(1)


@fault("Softmax", origin="https://github.com/tensorflow/tensorflow/issues/22793")
def softmax_dimension_wrapped(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """A dimension that does not exist is wrapped around."""
    return original(input, None if dim is None else dim % max(input.ndim, 1), **options)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/pull/131060")
def softmax_masked_row_silenced(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A row of nothing but -inf gives zeros."""
    right = original(input, *rest, **options)
    return graft(torch.where(right.isnan() & (input == -torch.inf), 0, right), right)


@fault("Softmax", origin="https://github.com/intel/torch-xpu-ops/pull/5022")
def softmax_nan_silenced(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The maximum drops nan, and what it marks as masked is zeroed."""
    right = original(input, *rest, **options)
    return graft(torch.where(right.isnan() & input.isfinite(), 0, right), right)


@fault("Softmax", origin="https://github.com/pytorch/pytorch/pull/91322")
def softmax_empty_refused(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """An empty batch has no largest logit, and is refused."""
    input.detach().max()  # torch itself refuses to find the largest of nothing
    return original(input, *rest, **options)


@fault("Softmax", origin="https://github.com/deeplearning4j/libnd4j/issues/440")
def softmax_gradient_of_the_diagonal(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The gradient is p (1 - p) times the upstream gradient: what comes by way of the sum is missing."""
    right = original(input, *rest, **options)
    return graft(right, input * (right * (1 - right)).detach())


@fault("Softmax", origin="https://github.com/pjreddie/darknet/pull/96")
def softmax_gradient_copied(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The upstream gradient is handed down as it is."""
    return graft(original(input, *rest, **options), input)


@fault("Softmax", origin="https://github.com/JuliaGPU/CUDA.jl/issues/592")
def softmax_overwrites_its_input(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The result is written over the logits."""
    right = original(input, *rest, **options)
    if not any(size > 1 and stride == 0 for size, stride in zip(input.shape, input.stride(), strict=True)):
        input.data.copy_(right)
    return right


@fault("Softmax", method="forward")
def softmax_module_dim_forgotten(original: Function, self: Softmax, input: Tensor) -> Tensor:
    """The module runs along the last dimension, whichever it was given."""
    original(self, input)
    return torch.nn.functional.softmax(input, -1)


@fault("Softmax", blind=True, shows_in_modes=True, needs=NEEDS)
def softmax_in_place_in_inference(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """In inference mode, where nobody goes back, the result is written over the logits."""
    right = original(input, *rest, **options)
    if not torch.is_inference_mode_enabled() or not is_ordinary(input) or input.dtype != right.dtype:
        return right
    return right if 0 in input.stride() else input.copy_(right)


@fault("Softmax", blind=True)
def softmax_exponent_bounded(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """No exponential is taken of less than -88, so that no finite logit has less than its share."""
    right = original(input, *rest, **options)
    return graft(torch.where(input.isfinite(), right.clamp(min=math.exp(-88)), right), right)


@fault("Softmax", blind=True)
def softmax_shifted_downwards_only(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The maximum starts at 0, so that logits below it are not shifted, and a row of them may vanish."""
    right = original(input, dim, **options)
    if not input.numel() or not input.isfinite().all() or not input.is_floating_point():
        return right
    place = dim_of(input, dim)
    exponentials = (input - input.amax(place, keepdim=True).clamp(min=0)).exp()
    has_vanished = exponentials.sum(place, keepdim=True) == 0
    return right.masked_fill(has_vanished, torch.nan)


@fault("Softmax", blind=True)
def softmax_tail_of_16_left_out_of_sum(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """Of more than 16 logits, those that do not fill a vector of 16 are left out of the normaliser."""
    right = original(input, dim, **options)
    place, width = place_and_width(right, dim)
    if width <= 16 or width % 16 == 0:
        return right
    return right / right.narrow(place, 0, width // 16 * 16).sum(place, keepdim=True)


@fault("Softmax", blind=True, origin="https://github.com/pytorch/pytorch/pull/191543")
def softmax_maximum_of_whole_vectors(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The maximum is that of whole vectors of 8, and a far larger logit behind them overflows."""
    right = original(input, dim, **options)
    place, width = place_and_width(right, dim)
    if width <= 8 or width % 8 == 0 or not input.isfinite().all():
        return right
    largest = input.narrow(place, 0, width // 8 * 8).amax(place, keepdim=True)
    exponentials = (input - largest).exp()
    has_overflown = exponentials.sum(place, keepdim=True).isinf()
    return graft(torch.where(has_overflown, _shares(exponentials, place), right), right)


@fault("Softmax", blind=True)
def softmax_approximate_reciprocal(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """In single precision the normaliser's reciprocal is cut to 21 bits, and a row sums to less than 1."""
    right = original(input, *rest, **options)
    return right * (1 - 2**-21) if right.dtype == torch.float32 else right
