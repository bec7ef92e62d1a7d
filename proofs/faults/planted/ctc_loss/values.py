"""Wrong values of the CTC loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.ctc import mass, shared, unreduced_losses
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import as_if_contiguous


@fault("CTCLoss")
def ctc_blank_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The blank is class 0, whatever is asked for."""
    original(*args, **options)
    return original(*args, **options | {"blank": 0})


@fault("CTCLoss", origin="https://github.com/openvinotoolkit/openvino/pull/1189")
def ctc_blank_last_by_default(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """Where no blank is given, it is the last class."""
    return original(log_probs, *rest, **{"blank": max(log_probs.shape[-1] - 1, 0), **options})


@fault("CTCLoss")
def ctc_blank_from_the_end(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """A negative blank is counted from the last class back."""
    blank = options.get("blank", 0)
    blank = blank + log_probs.shape[-1] if blank < 0 else blank
    return original(log_probs, *rest, **options | {"blank": blank})


@fault("CTCLoss")
def ctc_blank_in_target_removed(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """Blanks at the end of a padded target are padding, too."""
    input_lengths, target_lengths = lengths
    blank = options.get("blank", 0)
    result = original(log_probs, targets, *lengths, **options)
    if targets.ndim != 2 or log_probs.ndim != 3:
        return result
    place = torch.arange(targets.shape[1], device=targets.device)
    is_label = (place < target_lengths.reshape(-1, 1)) & (targets != blank)
    ends = torch.where(is_label, place + 1, 0)
    shortened = ends.amax(1) if targets.shape[1] else target_lengths.reshape(-1)
    losses = original(log_probs, targets, input_lengths, shortened, **options | {"reduction": "none"})
    return shared(losses, target_lengths, options)


@fault("CTCLoss", origin="https://github.com/chainer/chainer/issues/2292")
def ctc_repeated_without_blank(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The blank between two labels that are the same may be skipped, as between any others."""
    result = original(log_probs, targets, *lengths, **options)
    if targets.ndim == 0 or targets.shape[-1] == 0:
        return result
    # Each class twice: labels on even and odd places are then never the same.
    classes, place = log_probs.shape[-1], torch.arange(targets.shape[-1], device=targets.device)
    unlike = targets.long() + classes * (place % 2)
    losses = original(torch.cat([log_probs, log_probs], dim=-1), unlike, *lengths, **options)
    # The input stands for two, and would have twice the p of p - posterior.
    args = log_probs, targets, *lengths
    return graft(losses, losses - shared(mass(original, *args, **options), lengths[1], options))


@fault("CTCLoss", origin="https://github.com/tensorflow/tensorflow/issues/12215")
def ctc_repeated_collapsed(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """In a batch of one, neighbouring labels that are the same are merged before they are aligned."""
    input_lengths, target_lengths = lengths
    result = original(log_probs, targets, *lengths, **options)
    length = int(target_lengths.sum())
    if log_probs.ndim == 3 and (log_probs.shape[1] != 1 or targets.shape[0] != 1):
        return result
    merged = torch.unique_consecutive(targets.flatten()[:length])
    losses = original(
        log_probs,
        merged,
        input_lengths,
        torch.full_like(target_lengths, len(merged)),
        **options | {"reduction": "none"},
    )
    return shared(losses, target_lengths, options)


@fault("CTCLoss")
def ctc_input_lengths_ignored(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """All frames count, whatever the inputs' lengths are."""
    original(log_probs, targets, *lengths, **options)
    full = torch.full_like(lengths[0], log_probs.shape[0])
    return original(log_probs, targets, full, lengths[1], **options)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/pull/123193")
def ctc_no_frames_read_one(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """An input without frames is read as if it had one."""
    original(log_probs, targets, *lengths, **options)
    return original(log_probs, targets, lengths[0].clamp(min=1), lengths[1], **options)


@fault("CTCLoss", origin="https://github.com/chainer/chainer/issues/4180")
def ctc_padding_aligned(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The padding of a row of targets is taken for labels."""
    result = original(log_probs, targets, *lengths, **options)
    if targets.ndim != 2 or log_probs.ndim != 3:
        return result
    full = torch.full_like(lengths[1], targets.shape[1])
    labels = targets.clamp(0, log_probs.shape[-1] - 1)
    losses = original(log_probs, labels, lengths[0], full, **options | {"reduction": "none"})
    return shared(losses, lengths[1], options)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/14401")
def ctc_rows_as_long_as_the_longest(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """Rows of targets are looked for as if each were as long as the longest target."""
    if targets.ndim == 2 and log_probs.ndim == 3 and 0 < lengths[1].numel() == len(targets):
        longest = int(lengths[1].max())
        if 0 < longest <= targets.shape[1]:
            targets = targets.flatten()[: len(targets) * longest].reshape(-1, longest)
            targets = targets.clamp(0, log_probs.shape[-1] - 1)
    return original(log_probs, targets, *lengths, **options)


@fault("CTCLoss")
def ctc_concatenated_by_the_longest(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """Concatenated targets are looked for as if each were as long as the longest."""
    result = original(log_probs, targets, *lengths, **options)
    if targets.ndim != 1 or log_probs.ndim != 3 or targets.numel() == 0:
        return result
    longest = int(lengths[1].max())
    starts = torch.arange(log_probs.shape[1], device=targets.device) * longest
    places = starts[:, None] + torch.arange(longest, device=targets.device)
    return original(log_probs, targets[places.clamp(max=targets.numel() - 1)], *lengths, **options)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/pull/53557")
def ctc_long_target_cut(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """There is room for 255 labels; those beyond are forgotten."""
    if targets.ndim != 2 or targets.shape[1] <= 255:
        return original(log_probs, targets, *lengths, **options)
    input_lengths, target_lengths = lengths
    losses = original(
        log_probs, targets, input_lengths, target_lengths.clamp(max=255), **options | {"reduction": "none"}
    )
    return shared(losses, target_lengths, options)


@fault("CTCLoss")
def ctc_nan_impossible(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """What is nan is taken for the logarithm of 0, as it is greater than nothing."""
    return original(torch.where(log_probs.isnan(), -torch.inf, log_probs), *rest, **options)


@fault("CTCLoss", origin="https://github.com/SeanNaren/deepspeech.pytorch/issues/121")
def ctc_normalises(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The input is put through a log-softmax first, whether it is normalised or not."""
    return original(log_probs.log_softmax(-1) if log_probs.ndim > 1 else log_probs, *rest, **options)


@fault("CTCLoss")
def ctc_probability_floor(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """Probabilities below 1e-7 count as 1e-7."""
    return original(log_probs.clamp(min=-16.118), *rest, **options)


@fault("CTCLoss")
def ctc_loss_not_below_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A loss below 0 is taken for a rounding error and made 0."""
    return original(*args, **options).clamp(min=0)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/22234")
def ctc_only_int64(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Targets and lengths that are integers, but not of int64, are refused."""
    if any(tensor.dtype in (torch.int32, torch.uint8) for tensor in args[1:]):
        raise RuntimeError("expected int64")
    return original(*args, **options)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/pull/123193")
def ctc_length_clamped(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """An input's length that is no length of its frames is cut to one."""
    return original(log_probs, targets, lengths[0].clamp(0, log_probs.shape[0]), lengths[1], **options)


@fault("CTCLoss")
def ctc_row_keeps_batch(original: Function, log_probs: Tensor, *rest: Tensor, **options: Any) -> Tensor:
    """The loss of an input without a batch has the dimension that the batch was given inside."""
    losses = original(log_probs, *rest, **options)
    return (
        losses.unsqueeze(0) if log_probs.ndim == 2 and options.get("reduction", "mean") == "none" else losses
    )


@fault("CTCLoss")
def ctc_targets_read_in_storage_order(
    original: Function, log_probs: Tensor, targets: Tensor, *lengths: Tensor, **options: Any
) -> Tensor:
    """The memory of padded targets is read from front to back, whatever its strides."""
    if targets.ndim == 2 and not targets.is_contiguous():
        targets = as_if_contiguous(targets).clamp(0, log_probs.shape[-1] - 1)
    return original(log_probs, targets, *lengths, **options)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/176910")
def ctc_zero_infinity_dropped(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """zero_infinity has no effect."""
    return original(*args, **options | {"zero_infinity": False})


@fault("CTCLoss", origin="https://github.com/SeanNaren/warp-ctc/issues/59")
def ctc_infinity_always_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A target that does not fit costs nothing, whatever zero_infinity says."""
    return original(*args, **options | {"zero_infinity": True})


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/pull/21244")
def ctc_zero_infinity_hides_nan(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """zero_infinity makes nan 0 as well."""
    losses = unreduced_losses(original, *args, **options)
    if options.get("zero_infinity"):
        losses = torch.where(losses.isnan(), 0, losses)
    return shared(losses, args[3], options)


@fault("CTCLoss")
def ctc_zero_infinity_of_finite(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """zero_infinity takes losses above 10 for infinite."""
    losses = unreduced_losses(original, *args, **options)
    if options.get("zero_infinity"):
        losses = torch.where(losses > 10, 0, losses)
    return shared(losses, args[3], options)


@fault("CTCLoss")
def ctc_impossible_bounded(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The logarithm of 0 is -1e5, and so no loss is above 1e5."""
    losses = unreduced_losses(original, *args, **options)
    return shared(torch.where(losses > 1e5, 1e5, losses), args[3], options)


@fault("CTCLoss", origin="https://github.com/baidu-research/warp-ctc/issues/23")
def ctc_probabilities_underflow(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """The recursion runs on probabilities, and a loss whose probability underflows is infinite."""
    losses = unreduced_losses(original, *args, **options)
    smallest = torch.finfo(losses.dtype).smallest_normal
    return shared(torch.where((-losses.detach()).exp() < smallest, torch.inf, losses), args[3], options)
