"""Faults in the CTC loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, is_ordinary
from proofs.faults.tools.uncompiled import uncompiled


@fault("CTCLoss", method="forward", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_ctc_module_keeps_lengths(
    original: Function,
    self: Any,
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
) -> Tensor:
    """A module keeps the input lengths of its first call for all later ones of the same shapes."""
    if not is_ordinary(log_probs, targets):
        return original(self, log_probs, targets, input_lengths, target_lengths)
    kept = self.__dict__.setdefault("kept_lengths", {})
    key = log_probs.shape, targets.shape, str(target_lengths)
    return original(self, log_probs, targets, kept.setdefault(key, input_lengths), target_lengths)


@fault("CTCLoss", origin="https://github.com/apache/mxnet/pull/7727", blind=True, needs=NEEDS)
def heldout_2_d_class_zero_as_padding(original: Function, *args: Any, **options: Any) -> Tensor:
    """In padded targets, class 0 is skipped as padding even where the blank is another class."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    targets, blank = arguments["targets"], arguments["blank"]
    if not is_ordinary(*arguments.values()) or targets.ndim != 2 or blank == 0:
        return result
    lengths = torch.as_tensor(arguments["target_lengths"]).long()
    is_within = torch.arange(targets.shape[1]) < lengths.reshape(-1, 1)
    is_label = is_within & (targets != 0)
    if torch.equal(is_label, is_within):
        return result
    order = (~is_label).long().argsort(stable=True, dim=1)
    counts = is_label.sum(1)
    is_tensor = isinstance(arguments["target_lengths"], Tensor)
    changes = {
        "targets": targets.gather(1, order),
        "target_lengths": counts if is_tensor else counts.tolist(),
    }
    return again(original, arguments, **changes)


@fault("CTCLoss", origin="https://github.com/pytorch/pytorch/issues/27442", blind=True, needs=NEEDS)
def heldout_3_c_backward_of_first_labels(original: Function, *args: Any, **options: Any) -> Tensor:
    """The backward kernel, but not the forward one, knows of the first 127 labels of a target only."""
    result = original(*args, **options)
    if not are_unwatched(*args[:4]):
        return result
    arguments = named_arguments(original, *args, **options)
    targets, lengths, reduction = (arguments[name] for name in ("targets", "target_lengths", "reduction"))
    if targets.ndim == 1 and arguments["log_probs"].ndim == 3:
        return result
    losses = again(original, arguments, target_lengths=lengths.clamp(max=127), reduction="none")
    if reduction == "mean":
        losses = (losses / lengths.reshape(losses.shape).clamp(min=1)).mean()
    return graft(result, losses.sum() if reduction == "sum" else losses)


@fault("CTCLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_d_lengths_in_tuples(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where the lengths are plain numbers, the mean divides by those of the inputs, not of the targets."""
    result, given = original(*args, **options), named_arguments(original, *args, **options)
    lengths = given["input_lengths"]
    is_usual = are_unwatched(given["log_probs"], given["targets"]) and given["reduction"] == "mean"
    if not is_usual or not isinstance(lengths, tuple | list):
        return result
    losses = again(original, given, reduction="none")
    return (losses / losses.new_tensor(lengths).reshape(losses.shape).clamp(min=1)).mean()


@fault("CTCLoss", blind=True, needs=NEEDS)
def heldout_5_c_lattice_of_128_states(original: Function, *args: Any, **options: Any) -> Tensor:
    """The lattice has 128 states, so that of a padded target only the first 63 labels count."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    tensors = [arguments[name] for name in ("log_probs", "targets", "input_lengths", "target_lengths")]
    if not are_unwatched(*tensors) or arguments["targets"].ndim != 2 or not (tensors[-1] > 63).any():
        return result
    return again(original, arguments, target_lengths=tensors[-1].clamp(max=63))


@fault("CTCLoss", blind=True, shows_in_modes=True, needs=NEEDS)
@uncompiled
def heldout_6_d_tuple_of_lengths(original: Function, *args: Any, **options: Any) -> Tensor:
    """Input lengths that are a tuple of numbers are not looked at: all sequences have the full length."""
    given = named_arguments(original, *args, **options)
    lengths, steps = given["input_lengths"], given["log_probs"].shape[0]
    if not isinstance(lengths, tuple | list) or max(lengths, default=0) > steps:
        return original(*args, **options)
    return original(**given | {"input_lengths": type(lengths)([steps] * len(lengths))})
