"""The losses of torch that hold linear layers: called with a case's weights in place of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch

from lossproof.subjects.call import Unsupported
from lossproof.subjects.torch.names import look_up

Function = Callable[..., torch.Tensor]

_FIELDS = {"none": "output", "mean": "loss"}


def linear_cross_entropy_module(params: Mapping[str, Any], args: tuple[torch.Tensor, ...]) -> Function:
    """LinearCrossEntropyLoss, its sizes taken from the weight and the bias that the call gives it.

    Raises:
        Unsupported: where no module could have such weights.
    """
    keywords = _with_options(params)
    shape, bias = args[1].shape, keywords.pop("linear_bias", None)
    if len(shape) < 2 or (bias is not None and bias.shape != shape[:-1]):
        raise Unsupported("the module makes a weight and a bias that fit")
    out_features = tuple(shape[1:-1])
    module = torch.nn.LinearCrossEntropyLoss(
        shape[-1], shape[0], out_features=out_features, bias=bias is not None, **keywords
    )

    def call(input: torch.Tensor, linear_weight: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        weights = {"linear.weight": linear_weight.reshape(shape[:-1].numel(), shape[-1])}
        if bias is not None:
            weights["linear.bias"] = bias.reshape(-1)
        result: torch.Tensor = torch.func.functional_call(module, weights, (input, target))
        return result

    return call


def linear_cross_entropy(*args: torch.Tensor, **params: Any) -> torch.Tensor:
    """The function, with options where a case names them."""
    return torch.nn.functional.linear_cross_entropy(*args, **_with_options(params))


def _with_options(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, with torch's own object in place of the name of some options."""
    if params.get("options") != "chunked":
        return dict(params)
    # Two rows at a time, so that small cases have several chunks. Gradients are taken twice.
    options = look_up("torch.nn.LinearCrossEntropyOptions")(batch_chunk_size=2, allow_retain_graph=True)
    return {**params, "options": options}


def adaptive_log_softmax_module(params: Mapping[str, Any], args: tuple[torch.Tensor, ...]) -> Function:
    """AdaptiveLogSoftmaxWithLoss with the call's weights; the reduction says which field is the result."""
    keywords = dict(params)
    field = _FIELDS[keywords.pop("reduction")]
    cutoffs = tuple(keywords.pop("cutoffs"))
    names = [name for name, value in keywords.items() if isinstance(value, torch.Tensor)]
    weights = {name.replace("_", "."): keywords.pop(name) for name in names}
    shapes = tuple((name, weight.shape) for name, weight in weights.items())
    module = _adaptive_log_softmax(cutoffs, shapes, **keywords)

    def call(*args: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = getattr(torch.func.functional_call(module, weights, args), field)
        return result

    return call


@cache
def _adaptive_log_softmax(
    cutoffs: tuple[int, ...], shapes: tuple[tuple[str, torch.Size], ...], **keywords: Any
) -> torch.nn.Module:
    """A module for weights of these shapes. Its own are never used, so that one serves all such calls."""
    clusters = [shape[0] for name, shape in shapes if name.endswith(".1.weight")]
    entries, in_features = dict(shapes)["head.weight"]
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        in_features,
        entries - len(clusters) + sum(clusters),
        cutoffs,
        head_bias="head.bias" in dict(shapes),
        **keywords,
    )
    module.load_state_dict({name: torch.zeros(shape) for name, shape in shapes})  # refuses other shapes
    return module
