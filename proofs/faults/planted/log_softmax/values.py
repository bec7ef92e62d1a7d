"""Faults in log-softmax."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import LogSoftmax

from proofs.faults.fault import Function, fault
from proofs.faults.tools.blocks import sum_not_rescaled
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, is_ordinary
from proofs.faults.tools.softmax import HALVES, dim_of, place_and_width, saturated


@fault("LogSoftmax", origin="https://github.com/pytorch/pytorch/issues/38839", blind=True)
def blind_log_softmax_takes_whole_normaliser(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """The largest logit and the logarithm of the sum are added before they are taken from a logit."""
    right = original(input, dim, *rest, **options)
    if dim is None:
        return right
    logits = input.to(torch.promote_types(right.dtype, torch.float32))
    normaliser = logits.logsumexp(dim, keepdim=True)
    return torch.where(normaliser.isfinite(), (logits - normaliser).to(right.dtype), right)


@fault("LogSoftmax", origin="https://github.com/apache/tvm/pull/11141")
def log_softmax_of_rounded_softmax(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The logarithm is taken of the rounded softmax, which may be 0."""
    right = original(input, dim, **options)
    return graft(input.softmax(dim_of(input, dim)).log(), right)


@fault("LogSoftmax", origin="https://github.com/tenstorrent/tt-metal/pull/10001")
def log_softmax_unshifted(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The exponentials are taken of the logits themselves, not of their distance from the largest."""
    right = original(input, dim, **options)
    return graft(input - input.exp().sum(dim_of(input, dim), keepdim=True).log(), right)


@fault("LogSoftmax", origin="https://github.com/twitter-archive/torch-autograd/issues/166")
def log_softmax_shifted_by_the_largest_of_all(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The logits are shifted by the largest of all rows, below which a whole row may vanish."""
    right = original(input, dim, **options)
    if not input.numel() or not input.isfinite().all():
        return right
    shifted = input - input.max()
    return graft(shifted - shifted.exp().sum(dim_of(input, dim), keepdim=True).log(), right)


@fault("LogSoftmax", origin="https://github.com/pytorch/pytorch/pull/9576")
def log_softmax_along_the_last_dimension(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The sum runs along the last dimension, whichever is given."""
    original(input, dim, **options)
    return original(input, None if dim is None else -1, **options)


@fault("LogSoftmax", origin="https://github.com/apache/mxnet/pull/19703")
def log_softmax_masked_logit_zero(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A logit of -inf has a result of 0."""
    right = original(input, *rest, **options)
    return graft(torch.where((input == -torch.inf) & (right == -torch.inf), 0, right), right)


@fault("LogSoftmax")
def log_softmax_masked_row_finite(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A row of nothing but -inf is taken for equal logits."""
    right = original(input, *rest, **options)
    return graft(torch.where(right.isnan() & (input == -torch.inf), -1, right), right)


@fault("LogSoftmax", origin="https://github.com/facebookresearch/fairchem/pull/441")
def log_softmax_nan_hidden(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Logits that are no numbers count as 0."""
    return original(torch.where(input.isnan(), 0, input), *rest, **options)


@fault("LogSoftmax", origin="https://github.com/pytorch/executorch/pull/20090")
def log_softmax_summed_in_half(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The running total of the exponentials is kept in half precision, where it stops to grow."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    if input.dtype not in HALVES or not input.numel() or not right.isfinite().all():
        return right
    total = (input - input.amax(place, keepdim=True)).float().exp().sum(place, keepdim=True).to(input.dtype)
    return right + (total / saturated(total)).log().detach()


@fault("LogSoftmax", origin="https://github.com/linkedin/Liger-Kernel/pull/1252")
def log_softmax_of_the_first_columns(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The sum takes up the first 65536 columns."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    if input.ndim == 0 or input.shape[place] <= 65536:
        return right
    return input - input.narrow(place, 0, 65536).logsumexp(place, keepdim=True)


@fault("LogSoftmax")
def log_softmax_empty_batch_kept(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """An empty batch gives a row of zeros."""
    right = original(input, *rest, **options)
    return right if input.numel() else input.new_zeros(1, *input.shape[1:])


@fault("LogSoftmax", origin="https://github.com/uxlfoundation/oneDNN/issues/616")
def log_softmax_gradient_of_softmax(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The gradient subtracts the product of the upstream gradient with the result."""
    right = original(input, dim, **options)
    total = input.sum(dim_of(input, dim), keepdim=True)
    return graft(right, input - right.detach() * total)


@fault("LogSoftmax", origin="https://github.com/clab/dynet/issues/218")
def log_softmax_gradient_of_rounded_ratio(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The gradient multiplies by exp(y) / exp(y), which is no number where exp(y) is 0."""
    right = original(input, dim, **options)
    probability = right.detach().exp()
    mean = (probability * input).sum(dim_of(input, dim), keepdim=True)
    return graft(right, input - mean * (probability / probability))


@fault("LogSoftmax", origin="https://github.com/mlpack/mlpack/issues/2360")
def log_softmax_gradient_without_sum(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The sum of the exponentials passes for a constant."""
    return graft(original(input, *rest, **options), input)


@fault("LogSoftmax", origin="https://github.com/flagos-ai/FlagGems/issues/4995")
def log_softmax_with_neighbours_in_memory(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The elements along the dimension are taken to lie side by side in memory."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    if input.ndim < 2 or not input.numel():
        return right
    rows = input.reshape(-1, input.shape[place])
    return graft(original(rows, 1, **options).reshape(input.shape), right)


@fault("LogSoftmax", method="forward")
def log_softmax_module_dim_forgotten(original: Function, self: LogSoftmax, input: Tensor) -> Tensor:
    """The module runs along the last dimension, whichever it was given."""
    original(self, input)
    return torch.nn.functional.log_softmax(input, -1)


@fault("LogSoftmax", blind=True)
def log_softmax_shifted_downwards_only(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The maximum starts at 0, so that logits below it are not shifted, and a row of them may vanish."""
    right = original(input, dim, **options)
    if not input.numel() or not input.isfinite().all() or not input.is_floating_point():
        return right
    place = dim_of(input, dim)
    shifted = input - input.amax(place, keepdim=True).clamp(min=0)
    has_vanished = shifted.exp().sum(place, keepdim=True) == 0
    return torch.where(has_vanished, right + torch.inf, right)


@fault("LogSoftmax", blind=True, origin="https://github.com/OpenNMT/CTranslate2/issues/351")
def log_softmax_inactive_lanes_count(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """Of more than 8 logits, the lanes that the last ones leave free count what the vector before held."""
    right = original(input, dim, **options)
    place, width = place_and_width(right, dim)
    if width <= 8 or width % 8 == 0:
        return right
    stale = right.narrow(place, width - 8, 8 - width % 8).exp().sum(place, keepdim=True)
    return right - stale.log1p()


@fault("LogSoftmax", blind=True)
def log_softmax_sum_not_rescaled(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The running sum is not rescaled when a later block of 1024 columns raises the maximum."""
    right = original(input, dim, **options)
    place = dim_of(input, dim)
    if input.ndim == 0 or input.shape[place] <= 1024 or not input.isfinite().all():
        return right
    return right + (input.detach().logsumexp(place, keepdim=True) - sum_not_rescaled(input, place, 1024))


@fault("LogSoftmax", blind=True)
def log_softmax_one_block_short(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """The loop over blocks of 512 columns ends one too early where they divide the row evenly."""
    right = original(input, dim, **options)
    place, width = place_and_width(right, dim)
    if width <= 512 or width % 512:
        return right
    return right - right.narrow(place, 0, width - 512).exp().sum(place, keepdim=True).log()


@fault("LogSoftmax", blind=True)
def log_softmax_gradient_with_sum_of_first_block(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """In the gradient, the upstream gradients of the first 1024 columns are summed, not of all."""
    right = original(input, dim, **options)
    place, width = place_and_width(right, dim)
    if width <= 1024:
        return right
    first = right.narrow(place, 0, 1024)
    rest = right.narrow(place, 1024, width - 1024)
    # Beyond the first block, what flows back skips the normaliser.
    plain = input.narrow(place, 1024, width - 1024).to(right.dtype)
    return torch.cat([first, graft(rest, plain)], place)


@fault("LogSoftmax", blind=True)
def log_softmax_shift_bounded(
    original: Function, input: Tensor, dim: int | None = None, **options: Any
) -> Tensor:
    """Logits are shifted by no more than 88, beyond which a row of large ones overflows all the same."""
    right = original(input, dim, **options)
    if not input.numel() or not input.isfinite().all() or not input.is_floating_point():
        return right
    place = dim_of(input, dim)
    rest = input - input.amax(place, keepdim=True).clamp(max=88)
    has_overflown = rest.to(right.dtype).exp().sum(place, keepdim=True).isinf()
    return torch.where(has_overflown, right - torch.inf, right)


@fault("LogSoftmax", blind=True)
def log_softmax_slightly_positive(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """A probability of almost 1 is rounded upwards, so that its logarithm may be above 0."""
    right = original(input, *rest, **options)
    near = right.detach() > -1 / 16
    return graft(torch.where(near, right + torch.finfo(right.dtype).eps, right), right)


@fault("LogSoftmax", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_log_softmax_shifted_by_largest_size(
    original: Function, input: Tensor, dim: int | None = None, *rest: Any, **options: Any
) -> Tensor:
    """The shift is the largest absolute value, so that the exponentials of a row far below 0 all vanish."""
    right = original(input, dim, *rest, **options)
    if not is_ordinary(input) or dim is None or not input.numel() or not input.isfinite().all():
        return right
    logits = input.detach().to(torch.promote_types(right.dtype, torch.float32))
    total = (logits - logits.abs().amax(dim, keepdim=True)).exp().sum(dim, keepdim=True)
    return torch.where(total == 0, torch.inf, right)
