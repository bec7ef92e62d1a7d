"""Right values of the margin ranking loss, wrong gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import reduced, reduced_as_named
from proofs.faults.tools.kinks import bent
from proofs.faults.tools.vectors import as_asked


@fault("MarginRankingLoss", origin="https://github.com/mlpack/mlpack/issues/3167", blind=True)
def blind_margin_ranking_gradient_of_target(original: Function, *args: Any, **options: Any) -> Tensor:
    """Going back, both inputs get the derivative by the target."""
    original(*args, **options)
    given = named_arguments(original, *args, **options)
    first: Tensor = given["input1"]
    second: Tensor = given["input2"]
    constants = {"input1": first.detach(), "input2": second.detach()}
    active = again(original, given, **constants, reduction="none").detach() > 0
    slope = (second - first).detach() * active
    wrong = reduced(slope * (first + second), given["reduction"])
    return again(original, given, **constants) + gradient_of(wrong)


def _margin_ranking(change: float, original: Function, *args: Tensor, **options: Any) -> Tensor:
    input1, input2, target = args
    result = original(*args, **options)
    shortfall = -target * (input1 - input2) + options.get("margin", 0.0)
    return bent(result, shortfall, change, lambda terms: as_asked(terms, options))


@fault("MarginRankingLoss", origin="https://github.com/torch/torch7/issues/734")
def margin_ranking_flat_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A pair that leads by exactly the margin has no gradient."""
    return _margin_ranking(-1, original, *args, **options)


@fault("MarginRankingLoss", origin="https://github.com/jax-ml/jax/issues/37821")
def margin_ranking_half_slope_at_margin(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A pair that leads by exactly the margin has half a gradient, as a tie of the hinge with 0."""
    return _margin_ranking(-0.5, original, *args, **options)


@fault("MarginRankingLoss")
def margin_ranking_flat_at_equal_scores(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Equal scores have no gradient without a margin; at other margins the kink is right."""
    return (
        original(*args, **options)
        if options.get("margin")
        else _margin_ranking(-1, original, *args, **options)
    )


@fault("MarginRankingLoss", origin="https://github.com/torch/nn/pull/169")
def margin_ranking_slope_beyond_margin(
    original: Function,
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    *,
    margin: float = 0.0,
    **options: Any,
) -> Tensor:
    """Pairs that lead by more than the margin still have a gradient."""
    result = original(input1, input2, target, margin=margin, **options)
    return graft(result, reduced_as_named(-target * (input1 - input2) + margin, options))


@fault("MarginRankingLoss", origin="https://github.com/mlpack/mlpack/issues/3167")
def margin_ranking_slope_of_target(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of the first score is that of the target, which then has none."""
    result = original(input1, input2, target, **options)
    if input1.shape != target.shape or not target.is_floating_point():
        return result
    first = graft(target, input1) if input1.dtype == target.dtype else target
    return graft(result, original(input1.detach(), input2, first, **options))


@fault("MarginRankingLoss", origin="https://github.com/flagos-ai/FlagGems/pull/2458")
def margin_ranking_no_slope(original: Function, *scores: Tensor, **options: Any) -> Tensor:
    """There is no gradient at all."""
    return with_gradient(original(*scores, **options), torch.zeros_like)


@fault("MarginRankingLoss", origin="https://github.com/pytorch/pytorch/pull/3876")
def margin_ranking_target_slope_missing(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """There is no gradient for the target."""
    return original(input1, input2, target.detach(), **options)


@fault("MarginRankingLoss")
def margin_ranking_slopes_of_same_sign(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradients of both scores have the sign of the first's."""
    return original(input1, with_gradient(input2, torch.neg), target, **options)


@fault("MarginRankingLoss", origin="https://github.com/deeplearning4j/nd4j/issues/2424")
def margin_ranking_broadcast_slope_of_mean(
    original: Function, input1: Tensor, input2: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The gradient of a first score that meets several others is the mean over these, not the sum."""
    repeats = max(input2.numel(), 1) if input1.shape[:1] == (1,) and input2.shape[:1] != (1,) else 1
    return original(with_gradient(input1, lambda gradient: gradient / repeats), input2, target, **options)
