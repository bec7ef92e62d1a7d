"""How torch is called: a module or a function by its name, and the losses that need more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import Unsupported
from lossproof.subjects.torch.linear import (
    adaptive_log_softmax_module,
    linear_cross_entropy,
    linear_cross_entropy_module,
)
from lossproof.subjects.torch.names import look_up

Parameters = Mapping[str, Any]
Arguments = tuple[torch.Tensor, ...]
Function = Callable[..., torch.Tensor]

# The expressions of ``expressions``, alive.
_EXPRESSIONS: Mapping[str, Function] = {
    "SelfInformation": lambda p: -torch.log(p),
    "Entropy": lambda p: torch.special.entr(p).sum(-1),
    "DistributionCrossEntropy": lambda p, q: -torch.special.xlogy(p, q).sum(-1),
    "Objective": lambda losses, parameters, l1=0.0, l2=0.0: (
        losses.mean() + (l1 * parameters.abs().sum() + l2 * parameters.square().sum())
    ),
}

# The functions that the names of TripletMarginWithDistanceLoss's distances stand for.
_DISTANCES: Mapping[str, Function] = {
    "pairwise_distance": torch.nn.functional.pairwise_distance,
    "pairwise_p1_eps0": lambda x, y: (x - y).abs().sum(-1),
    "l2_eps0": lambda x, y: torch.linalg.vector_norm(x - y, dim=-1),
    "linf": lambda x, y: (x - y).abs().amax(-1),
    "cosine_distance": lambda x, y: 1 - torch.nn.functional.cosine_similarity(x, y, dim=-1),
}


def _with_distance(params: Parameters) -> Parameters:
    name = params.get("distance_function")
    return params if name is None else {**params, "distance_function": _DISTANCES[name]}


# Modules that are not constructed from their parameters alone: from a call's parameters and arguments to
# what is then called with the arguments.
_CONSTRUCTORS: Mapping[str, Callable[[Parameters, Arguments], Function]] = {
    "AdaptiveLogSoftmaxWithLoss": adaptive_log_softmax_module,
    "LinearCrossEntropyLoss": linear_cross_entropy_module,
    "TripletMarginWithDistanceLoss": lambda params, args: torch.nn.TripletMarginWithDistanceLoss(
        **_with_distance(params)
    ),
}

# Functions that are not called with arguments and keywords alone.
_FUNCTIONS: Mapping[str, Function] = {
    "LinearCrossEntropyLoss": linear_cross_entropy,
    "TripletMarginWithDistanceLoss": lambda *args, **params: (
        torch.nn.functional.triplet_margin_with_distance_loss(*args, **_with_distance(params))
    ),
}


def construct_module(loss: str, params: Parameters, args: Arguments) -> Function:
    """The module of torch.nn, constructed.

    Raises:
        Unsupported: where torch.nn has no such module, or the module no such parameter.
    """
    if loss in _EXPRESSIONS:
        raise Unsupported(f"torch.nn has no module {loss}")
    name = f"torch.nn.{loss}"
    missing = [parameter for parameter in params if parameter in LOSSES[loss].functional_only]
    if missing:
        raise Unsupported(f"{name} has no parameter '{missing[0]}', unlike the function")
    if loss in _CONSTRUCTORS:
        look_up(name)
        return _CONSTRUCTORS[loss](params, args)
    module: Function = look_up(name, catalogued(loss, params))(**params)
    return module


def find_function(loss: str, params: Iterable[str] = ()) -> Function:
    """The function of torch.nn.functional, or an expression of torch's operations.

    Args:
        loss: the name in the reference's catalogue.
        params: the names of the parameters of a call.

    Raises:
        Unsupported: where there is neither, or the function has no such parameter.
    """
    functional = LOSSES[loss].functional
    if functional is not None:
        function: Function = look_up(f"torch.nn.functional.{functional}", catalogued(loss, params))
        return _FUNCTIONS.get(loss, function)
    if loss in _EXPRESSIONS:
        return _EXPRESSIONS[loss]
    raise Unsupported(f"torch.nn.functional has no function for {loss}")


def catalogued(loss: str, params: Iterable[str]) -> list[str]:
    """Those of the parameters that a loss has where torch lacks nothing; all others it has to refuse."""
    known = {*LOSSES[loss].parameters, *LOSSES[loss].typed_reductions}
    return [name for name in params if name in known]
