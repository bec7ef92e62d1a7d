"""Faults that only some layouts of the tensors show, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.gradients import graft
from proofs.faults.tools.kernels import as_if_contiguous
from proofs.faults.tools.ordinary import NEEDS, is_ordinary


@faults(
    Site("mse-target-dense-if-input-is", "MSELoss", blind=True),
    Site("huber-target-dense-if-input-is", "HuberLoss", blind=True),
    Site("soft-margin-target-dense-if-input-is", "SoftMarginLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def target_dense_if_input_is(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """Only the input is asked whether it is contiguous; the target's memory is read from front to back."""
    if is_ordinary(input, target) and input.is_contiguous():
        target = as_if_contiguous(target)
    return original(input, target, *rest, **options)


def _from_start_of_storage(tensor: Tensor) -> Tensor:
    if not is_ordinary(tensor) or tensor.storage_offset() == 0:
        return tensor
    return graft(tensor.detach().as_strided(tensor.shape, tensor.stride(), 0), tensor)


@faults(
    Site("ce-storage-offset-ignored", "CrossEntropyLoss", blind=True),
    Site("ctc-storage-offset-ignored", "CTCLoss", blind=True),
    Site("kl-storage-offset-ignored", "KLDivLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def input_from_start_of_storage(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The input is read from the start of its storage, though a slice of a tensor begins later."""
    return original(_from_start_of_storage(input), *rest, **options)


@faults(
    Site("mse-target-storage-offset-ignored", "MSELoss", blind=True),
    Site("cosine-storage-offset-ignored", "CosineSimilarity", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def second_from_start_of_storage(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The second tensor is read from the start of its storage, though a slice of a tensor begins later."""
    return original(input, _from_start_of_storage(target), *rest, **options)


@faults(
    Site("bce-same-tensor-counts-once", "BCELoss", blind=True),
    Site("bcel-same-tensor-counts-once", "BCEWithLogitsLoss", blind=True),
    Site("poisson-same-tensor-counts-once", "PoissonNLLLoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def same_tensor_counts_once(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """A tensor that is both input and target gets the gradient of the input alone."""
    if input is target and is_ordinary(input):
        target = target.detach()
    return original(input, target, *rest, **options)


def _with_sliced_rows_dense(tensor: Tensor) -> Tensor:
    is_sliced = tensor.ndim >= 2 and tensor.stride(-1) == 1 and tensor.stride(-2) > tensor.shape[-1]
    return as_if_contiguous(tensor) if is_ordinary(tensor) and is_sliced else tensor


@faults(
    Site(
        "lce-sliced-rows-taken-for-dense",
        "LinearCrossEntropyLoss",
        "https://github.com/NVIDIA/TransformerEngine/issues/2734",
        blind=True,
    ),
    Site("log-softmax-sliced-rows-taken-for-dense", "LogSoftmax", blind=True),
    Site("bce-sliced-rows-taken-for-dense", "BCELoss", blind=True),
    shows_in_modes=True,
    needs=NEEDS,
)
def sliced_rows_taken_for_dense(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Rows with their elements side by side are taken to follow each other, though they may be slices."""
    return original(_with_sliced_rows_dense(input), *rest, **options)
