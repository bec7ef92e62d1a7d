"""Faults in the dtype of a result whose tensors have several, or in what is refused for its dtype."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault

_ANY_DTYPE = "https://github.com/pytorch/pytorch/issues/76870"


def _like(result: Tensor, tensor: Tensor) -> Tensor:
    """A result in the dtype of one of the tensors that it is made of."""
    return result.to(tensor.dtype) if tensor.is_floating_point() else result


def _wider(result: Tensor, tensor: Tensor | None) -> Tensor:
    """A result in the wider of its own dtype and a tensor's, if there is one."""
    return result if tensor is None else result.to(torch.promote_types(result.dtype, tensor.dtype))


def _with_weight_converted(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    weight = options.get("weight")
    return original(input, *rest, **options | {"weight": None if weight is None else weight.to(input.dtype)})


@fault("BCELoss", origin="https://github.com/pytorch/pytorch/issues/197098")
def bce_takes_weights_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A weight of a wider dtype makes the loss one."""
    return _wider(original(input, target, **options), options.get("weight"))


@fault("BCEWithLogitsLoss", origin="https://github.com/pytorch/pytorch/issues/171282")
def bcel_takes_weights_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A weight of a wider dtype makes the loss one."""
    return _wider(original(input, target, **options), options.get("weight"))


@fault("BCEWithLogitsLoss")
def bcel_takes_pos_weights_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A pos_weight of a wider dtype makes the loss one."""
    return _wider(original(input, target, **options), options.get("pos_weight"))


@fault("BCEWithLogitsLoss", origin=_ANY_DTYPE)
def bcel_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the logits, whatever the target has."""
    return _like(original(input, target, **options), input)


@fault("BCELoss")
def bce_narrowed_to_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of its weight, whatever the probabilities have."""
    weight = options.get("weight")
    result = original(input, target, **options)
    return result if weight is None else _like(result, weight)


@fault("BCEWithLogitsLoss")
def bcel_narrowed_to_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of its weight, whatever the logits have."""
    weight = options.get("weight")
    result = original(input, target, **options)
    return result if weight is None else _like(result, weight)


@fault("BCEWithLogitsLoss")
def bcel_narrowed_to_pos_weight(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of its pos_weight, whatever the logits have."""
    weight = options.get("pos_weight")
    result = original(input, target, **options)
    return result if weight is None else _like(result, weight)


@fault("MultiLabelSoftMarginLoss")
def multilabel_soft_margin_takes_inputs_dtype(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The loss has the dtype of the scores, whatever target and weight have."""
    return _like(original(input, target, **options), input)


@fault("KLDivLoss")
def kl_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the input, whatever the target has."""
    return _like(original(input, target, **options), input)


@fault("HuberLoss")
def huber_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the input, whatever the weight has."""
    return _like(original(input, target, **options), input)


@fault("HuberLoss")
def huber_takes_targets_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the target, whatever the input has."""
    return _like(original(input, target, **options), target)


@fault("GaussianNLLLoss")
def gaussian_takes_inputs_dtype(
    original: Function, input: Tensor, target: Tensor, var: Tensor, **options: Any
) -> Tensor:
    """The loss has the dtype of the input, whatever target and variance have."""
    return _like(original(input, target, var, **options), input)


@fault("MSELoss", origin=_ANY_DTYPE)
def mse_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the input, whatever target and weight have."""
    return _like(original(input, target, **options), input)


@fault("L1Loss", origin=_ANY_DTYPE)
def l1_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the input, whatever target and weight have."""
    return _like(original(input, target, **options), input)


@fault("SmoothL1Loss", origin=_ANY_DTYPE)
def smooth_l1_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the input, whatever the target has."""
    return _like(original(input, target, **options), input)


@fault("PoissonNLLLoss")
def poisson_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the logarithms, whatever the counts have."""
    return _like(original(input, target, **options), input)


@fault("CosineSimilarity")
def cosine_takes_first_dtype(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The result has the dtype of the first vectors, whatever the second have."""
    return _like(original(x1, x2, **options), x1)


@fault("CosineEmbeddingLoss")
def cosine_embedding_takes_first_dtype(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The loss has the dtype of the first vectors, whatever the second have."""
    return _like(original(input1, input2, target, **options), input1)


@fault("CosineEmbeddingLoss")
def cosine_embedding_takes_targets_dtype(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Labels of a wider dtype make the loss one."""
    return _wider(original(input1, input2, target, **options), target)


@fault("PairwiseDistance")
def pairwise_takes_first_dtype(original: Function, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """The result has the dtype of the first vectors, whatever the second have."""
    return _like(original(x1, x2, **options), x1)


@fault("TripletMarginLoss")
def triplet_takes_anchors_dtype(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The loss has the dtype of the anchors, whatever the others have."""
    return _like(original(anchor, positive, negative, **options), anchor)


@fault("TripletMarginWithDistanceLoss")
def triplet_distance_takes_anchors_dtype(
    original: Function, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any
) -> Tensor:
    """The loss has the dtype of the anchors, whatever the others have."""
    return _like(original(anchor, positive, negative, **options), anchor)


@fault("CrossEntropyLoss")
def cep_takes_inputs_dtype(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss has the dtype of the logits, whatever probabilities and class weights have."""
    return _like(original(input, target, **options), input)


@fault("LinearCrossEntropyLoss")
def lce_takes_inputs_dtype(
    original: Function, input: Tensor, linear_weight: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The loss has the dtype of the logits, whatever probabilities and class weights have."""
    return _like(original(input, linear_weight, target, **options), input)


@fault("CrossEntropyLoss")
def ce_weight_converted(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Class weights of another dtype are converted in silence."""
    return _with_weight_converted(original, input, *rest, **options)


@fault("NLLLoss")
def nll_weight_converted(original: Function, input: Tensor, *rest: Any, **options: Any) -> Tensor:
    """Class weights of another dtype are converted in silence."""
    return _with_weight_converted(original, input, *rest, **options)


@fault("NLLLoss2d", at="torch.nn.NLLLoss2d.forward")
def nll_2d_weight_converted(original: Function, self: Any, input: Tensor, target: Tensor) -> Tensor:
    """Class weights of another dtype are converted in silence."""
    return original(self if self.weight is None else self.to(input.dtype), input, target)
