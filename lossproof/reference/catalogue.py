"""The catalogue: which losses there are, what they take, and the functions that define them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lossproof.numbers.base import Array
from lossproof.reference import refusing
from lossproof.reference.binary_cross_entropy import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_gradient,
)
from lossproof.reference.cross_entropy import cross_entropy, cross_entropy_gradient
from lossproof.reference.information import (
    distribution_cross_entropy,
    distribution_cross_entropy_gradient,
    entropy,
    entropy_gradient,
    self_information,
    self_information_gradient,
)
from lossproof.reference.kl_divergence import kl_div, kl_div_gradient
from lossproof.reference.nll import nll_loss, nll_loss_gradient
from lossproof.reference.objective import objective, objective_gradient
from lossproof.reference.reductions import ELEMENTWISE
from lossproof.reference.refusals import OptionRefusal
from lossproof.reference.refusing import Arguments, Parameters
from lossproof.reference.softmax import log_softmax, log_softmax_gradient, softmax, softmax_gradient


@dataclass(frozen=True)
class Loss:
    """One function of the reference.

    Attributes:
        name: as in torch.nn, or a name of ours where torch has none.
        functional: its name in torch.nn.functional, or None.
        arguments: forward's tensor arguments, in torch's order.
        differentiable: those that torch can differentiate when they are floating.
        value: the formula, called with arguments and parameters.
        gradient: its closed-form gradient; called with the upstream gradient first, it returns one
            array for each differentiable argument and tensor parameter that was given.
        refuse: raises a Refusal for what the loss does not take.
        tensor_parameters: parameters that are tensors.
        differentiable_parameters: those of them that torch can differentiate.
        real_parameters: parameters that enter the formula as real numbers, with their defaults.
        options: all other parameters, with their defaults.
        reductions: the reductions it knows, or none of them for a plain function.
        indices: which of the arguments hold class indices, given the shapes.
    """

    name: str
    functional: str | None
    arguments: tuple[str, ...]
    differentiable: tuple[str, ...]
    value: Callable[..., Array]
    gradient: Callable[..., dict[str, Array]]
    refuse: Callable[[Arguments, Parameters], None] = refusing.refuse_nothing
    tensor_parameters: tuple[str, ...] = ()
    differentiable_parameters: tuple[str, ...] = ()
    real_parameters: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    reductions: tuple[str, ...] = ()
    indices: Callable[[Mapping[str, tuple[int, ...]]], tuple[str, ...]] = lambda shapes: ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters but the reduction."""
        return (*self.tensor_parameters, *self.real_parameters, *self.options)


def _target_of_other_shape(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    return () if shapes["target"] == shapes["input"] else ("target",)


def _softmax_gradient(upstream: Array, input: Array, *, dim: int) -> dict[str, Array]:
    return {"input": softmax_gradient(upstream, softmax(input, dim=dim), dim)}


def _log_softmax_gradient(upstream: Array, input: Array, *, dim: int) -> dict[str, Array]:
    return {"input": log_softmax_gradient(upstream, log_softmax(input, dim=dim), dim)}


LOSSES: Mapping[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "Softmax",
            "softmax",
            arguments=("input",),
            differentiable=("input",),
            value=softmax,
            gradient=_softmax_gradient,
            refuse=refusing.refuse_dimension,
            options={"dim": None},
        ),
        Loss(
            "LogSoftmax",
            "log_softmax",
            arguments=("input",),
            differentiable=("input",),
            value=log_softmax,
            gradient=_log_softmax_gradient,
            refuse=refusing.refuse_dimension,
            options={"dim": None},
        ),
        Loss(
            "SelfInformation",
            None,
            arguments=("p",),
            differentiable=("p",),
            value=self_information,
            gradient=self_information_gradient,
        ),
        Loss(
            "Entropy",
            None,
            arguments=("p",),
            differentiable=("p",),
            value=entropy,
            gradient=entropy_gradient,
        ),
        Loss(
            "DistributionCrossEntropy",
            None,
            arguments=("p", "q"),
            differentiable=("p", "q"),
            value=distribution_cross_entropy,
            gradient=distribution_cross_entropy_gradient,
            refuse=refusing.refuse_broadcasting,
        ),
        Loss(
            "Objective",
            None,
            arguments=("losses", "parameters"),
            differentiable=("losses", "parameters"),
            value=objective,
            gradient=objective_gradient,
            real_parameters={"l1": 0.0, "l2": 0.0},
        ),
        Loss(
            "NLLLoss",
            "nll_loss",
            arguments=("input", "target"),
            differentiable=("input",),
            value=nll_loss,
            gradient=nll_loss_gradient,
            refuse=refusing.refuse_nll_loss,
            tensor_parameters=("weight",),
            options={"ignore_index": -100},
            reductions=ELEMENTWISE,
            indices=lambda shapes: ("target",),
        ),
        Loss(
            "CrossEntropyLoss",
            "cross_entropy",
            arguments=("input", "target"),
            differentiable=("input", "target"),
            value=cross_entropy,
            gradient=cross_entropy_gradient,
            refuse=refusing.refuse_cross_entropy,
            tensor_parameters=("weight",),
            differentiable_parameters=("weight",),
            real_parameters={"label_smoothing": 0.0},
            options={"ignore_index": -100},
            reductions=ELEMENTWISE,
            indices=_target_of_other_shape,
        ),
        Loss(
            "BCELoss",
            "binary_cross_entropy",
            arguments=("input", "target"),
            differentiable=("input", "target"),
            value=binary_cross_entropy,
            gradient=binary_cross_entropy_gradient,
            refuse=refusing.refuse_binary_cross_entropy,
            tensor_parameters=("weight",),
            reductions=ELEMENTWISE,
        ),
        Loss(
            "BCEWithLogitsLoss",
            "binary_cross_entropy_with_logits",
            arguments=("input", "target"),
            differentiable=("input", "target"),
            value=binary_cross_entropy_with_logits,
            gradient=binary_cross_entropy_with_logits_gradient,
            refuse=refusing.refuse_binary_cross_entropy_with_logits,
            tensor_parameters=("weight", "pos_weight"),
            reductions=ELEMENTWISE,
        ),
        Loss(
            "KLDivLoss",
            "kl_div",
            arguments=("input", "target"),
            differentiable=("input", "target"),
            value=kl_div,
            gradient=kl_div_gradient,
            refuse=refusing.refuse_broadcasting,
            options={"log_target": False},
            reductions=(*ELEMENTWISE, "batchmean"),
        ),
    )
}


def find_loss(name: str) -> Loss:
    """The loss named as in torch.nn, or ``F.name`` as in torch.nn.functional.

    Raises:
        OptionRefusal: for any other name; the message lists the known ones.
    """
    if name in LOSSES:
        return LOSSES[name]
    for loss in LOSSES.values():
        if loss.functional and name == f"F.{loss.functional}":
            return loss
    raise OptionRefusal(f"there is no loss '{name}'; there are {', '.join(LOSSES)}")
