"""Faults in how memory is read, of mistakes that several losses share."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from proofs.faults.fault import Function
from proofs.faults.mistake import Site, faults
from proofs.faults.tools.kernels import as_if_contiguous, read_as_another


@faults(
    Site("bcel-read-in-storage-order", "BCEWithLogitsLoss", "https://github.com/tracel-ai/burn/issues/4815"),
    Site("log-softmax-read-in-storage-order", "LogSoftmax", "https://github.com/flagos-ai/Torch-FL/pull/172"),
    Site("softmax-read-in-storage-order", "Softmax", "https://github.com/tracel-ai/burn/issues/4815"),
    mistake="The memory of the logits is read from front to back, whatever their strides.",
)
@faults(
    Site("ce-logits-read-as-contiguous", "CrossEntropyLoss"),
    mistake="The logits' memory is read without regard to strides.",
    origin="https://github.com/NVIDIA/TransformerEngine/issues/2734",
)
@faults(
    Site("ctc-read-in-storage-order", "CTCLoss"),
    mistake="The input's memory is read from front to back, whatever its strides.",
)
@faults(
    Site("huber-read-from-front-to-back", "HuberLoss"),
    Site("l1-read-from-front-to-back", "L1Loss"),
    Site("mse-read-from-front-to-back", "MSELoss"),
    mistake="The input's strides are not looked at.",
    origin="https://github.com/pytorch/pytorch/pull/125696",
)
@faults(
    Site("nll-input-read-as-contiguous", "NLLLoss"),
    mistake="The input's memory is read without regard to strides.",
    origin="https://github.com/NVIDIA/TransformerEngine/issues/2734",
)
def first_tensor_as_if_contiguous(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """The first tensor's memory is read from front to back, whatever its strides."""
    return original(as_if_contiguous(input), *rest, **options)


@faults(
    Site("cosine-embedding-as-if-contiguous", "CosineEmbeddingLoss"),
    Site("cosine-as-if-contiguous", "CosineSimilarity"),
    Site("pairwise-as-if-contiguous", "PairwiseDistance", "https://github.com/pytorch/pytorch/issues/67517"),
    mistake="The second vectors are read as if they were contiguous.",
)
@faults(
    Site("kl-target-read-in-storage-order", "KLDivLoss"),
    mistake="The target's memory is read from front to back, whatever its strides.",
    origin="https://github.com/tracel-ai/burn/issues/4815",
)
@faults(
    Site("lce-weight-read-in-storage-order", "LinearCrossEntropyLoss"),
    mistake="The weight's memory is read from front to back, whatever its strides.",
    origin="https://github.com/verl-project/verl/pull/6960",
)
@faults(
    Site("mlm-target-memory", "MultiLabelMarginLoss"),
    mistake="The labels are read from memory as if they lay side by side.",
    origin="https://github.com/pytorch/pytorch/pull/104852",
)
@faults(
    Site("nll-target-read-as-contiguous", "NLLLoss"),
    mistake="The target's memory is read without regard to strides.",
    origin="https://github.com/pytorch/pytorch/issues/72120",
)
@faults(
    Site("poisson-read-from-front-to-back", "PoissonNLLLoss"),
    Site("smooth-l1-read-from-front-to-back", "SmoothL1Loss"),
    mistake="The target's strides are not looked at.",
    origin="https://github.com/pytorch/pytorch/pull/125696",
)
def second_tensor_as_if_contiguous(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The second tensor's memory is read from front to back, whatever its strides."""
    return original(input, as_if_contiguous(target), *rest, **options)


@faults(
    Site("triplet-as-if-contiguous", "TripletMarginLoss"),
    Site("triplet-distance-as-if-contiguous", "TripletMarginWithDistanceLoss"),
    origin="https://github.com/pytorch/pytorch/issues/67517",
)
def third_tensor_as_if_contiguous(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The unlike vectors are read as if they were contiguous."""
    return original(anchor, positive, as_if_contiguous(negative), **options)


@faults(
    Site("mlsm-weight-memory", "MultiLabelSoftMarginLoss"),
    Site("multi-margin-weight-memory", "MultiMarginLoss"),
    origin="https://github.com/pytorch/pytorch/pull/104852",
)
def weight_as_if_contiguous(
    original: Function, input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any
) -> Tensor:
    """The weights are read from memory as if they lay side by side."""
    read = None if weight is None else as_if_contiguous(weight)
    return original(input, target, weight=read, **options)


@faults(
    Site("bcel-target-read-as-input", "BCEWithLogitsLoss"),
    mistake="The target is read with the strides of the logits.",
)
@faults(
    Site("kl-target-read-as-input", "KLDivLoss"),
    Site("l1-target-read-as-input", "L1Loss"),
)
def target_read_as_input(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """The target is read with the strides of the input."""
    return original(input, read_as_another(target, input), *rest, **options)
