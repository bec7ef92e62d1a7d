"""HingeEmbeddingLoss and MarginRankingLoss: the cost of every number that falls short of a margin."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.reference.conventions import Convention, hinge_convention, unit_step
from lossproof.reference.demands import demand_broadcastable, demand_equal_dimensions
from lossproof.reference.limits import NEVER_NEGATIVE, within
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import DtypeRefusal
from lossproof.reference.steps import step

EMBEDDING_ON_MARGIN = hinge_convention(
    "hinge-embedding-on-margin", "HingeEmbeddingLoss where x = margin", "1"
)
RANKING_ON_MARGIN = hinge_convention(
    "margin-ranking-on-margin", "MarginRankingLoss where the right one leads by just the margin", "1"
)


def hinge_slope(excess: Array, convention: Convention) -> Array:
    """The slope of max(z, 0): 1 where it rises, 0 where it is flat, and 0 at nan, which rises nowhere."""
    return np.where(np.isnan(excess), 0.0, unit_step(excess, convention))


def hinge_embedding_loss(
    input: Array, target: Array, *, margin: Array = 1.0, reduction: str = "mean"
) -> Array:
    """L = x where y = 1, and max(margin - x, 0) where y = -1; with any other y, the sum of both.

    Args:
        input: distances x, of any shape; broadcast with ``target``.
        target: y, 1 for a pair that is alike and -1 for one that is not.
        margin: the distance at which an unlike pair begins to cost nothing.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        ShapeRefusal: where shapes do not broadcast.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input": [0.25, 0.25], "target": [1.0, -1.0]}
    >>> print(forward("HingeEmbeddingLoss", {"reduction": "none"}, call))
    [0.25 0.75]
    >>> print(gradient("HingeEmbeddingLoss", {"reduction": "sum"}, call, "input"))
    [ 1. -1.]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
    """
    hinge = step("max(margin - x, 0)", np.maximum(margin - input, 0.0))
    losses = np.where(target != 1, hinge, 0.0) + np.where(target != -1, input, 0.0)
    return reduce(step("losses", losses), reduction)


def hinge_embedding_loss_gradient(
    upstream: Array, input: Array, target: Array, *, margin: Array = 1.0, reduction: str = "mean"
) -> dict[str, Array]:
    """dl/dx = 1 where y = 1, and -1 where y = -1 and x < margin."""
    shape = np.broadcast_shapes(tuple(input.shape), tuple(target.shape))
    share = spread(upstream, shape, reduction)
    alike = np.where(target != -1, share, 0.0)
    unlike = np.where(target != 1, hinge_slope(margin - input, EMBEDDING_ON_MARGIN) * share, 0.0)
    own = tuple(input.shape)
    return {"input": sum_to_shape(alike, own) - sum_to_shape(unlike, own)}


def margin_ranking_loss(
    input1: Array, input2: Array, target: Array, *, margin: Array = 0.0, reduction: str = "mean"
) -> Array:
    """L = max(-y (x1 - x2) + margin, 0): zero where the right one leads by the margin.

    Args:
        input1: scores x1, of any shape; broadcast with the others, which have as many dimensions.
        input2: scores x2.
        target: y, 1 where x1 ranks higher and -1 where x2 does; no booleans.
        margin: the lead that is demanded.
        reduction: none, mean or sum.

    Returns:
        The losses, in the shape that the arguments broadcast to; one number where they are reduced.

    Raises:
        DtypeRefusal: for a target of booleans.
        ShapeRefusal: for different numbers of dimensions, and where shapes do not broadcast.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input1": [1.0, 1.0], "input2": [0.0, 0.0], "target": [1.0, -1.0]}
    >>> print(forward("MarginRankingLoss", {"margin": 0.5}, call))
    0.75
    >>> print(gradient("MarginRankingLoss", {"margin": 0.5}, call, "input1"))
    [0.  0.5]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
    """
    return reduce(step("losses", np.maximum(_shortfall(input1, input2, target, margin), 0.0)), reduction)


def margin_ranking_loss_gradient(
    upstream: Array,
    input1: Array,
    input2: Array,
    target: Array,
    *,
    margin: Array = 0.0,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dx1 = -y, dl/dx2 = y and dl/dy = -(x1 - x2) where the loss is not flat, else 0."""
    lead = input1 - input2
    shortfall = _shortfall(input1, input2, target, margin)
    push = hinge_slope(shortfall, RANKING_ON_MARGIN) * spread(upstream, tuple(shortfall.shape), reduction)
    # The gradient reaches the lead before it reaches the scores: each may have been broadcast.
    on_lead = sum_to_shape(-target * push, tuple(lead.shape))
    return {
        "input1": sum_to_shape(on_lead, tuple(input1.shape)),
        "input2": -sum_to_shape(on_lead, tuple(input2.shape)),
        "target": -sum_to_shape(lead * push, tuple(target.shape)),
    }


def _shortfall(input1: Array, input2: Array, target: Array, margin: Array) -> Array:
    """How far the lead in the right direction falls short of the margin."""
    return step("margin - y (x1 - x2)", -target * (input1 - input2) + margin)


def refuse_hinge_embedding_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``hinge_embedding_loss`` lists under Raises."""
    demand_broadcastable(args)


def refuse_margin_ranking_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``margin_ranking_loss`` lists under Raises."""
    if args["target"].dtype.kind == "b":
        raise DtypeRefusal("target holds booleans; a rank is 1 or -1")
    demand_equal_dimensions(args)
    demand_broadcastable(args)


LOSSES = (
    Loss(
        "HingeEmbeddingLoss",
        "hinge_embedding_loss",
        arguments=("input", "target"),
        differentiable=("input",),
        value=hinge_embedding_loss,
        gradient=hinge_embedding_loss_gradient,
        refuse=refuse_hinge_embedding_loss,
        conventions=(EMBEDDING_ON_MARGIN,),
        real_parameters={"margin": 1.0},
        reductions=ELEMENTWISE,
        typed_by=("input",),
        limits=within(NEVER_NEGATIVE, {"input": NEVER_NEGATIVE}),
        laws=frozenset({Law.ELEMENTWISE}),
    ),
    Loss(
        "MarginRankingLoss",
        "margin_ranking_loss",
        arguments=("input1", "input2", "target"),
        differentiable=("input1", "input2", "target"),
        value=margin_ranking_loss,
        gradient=margin_ranking_loss_gradient,
        refuse=refuse_margin_ranking_loss,
        conventions=(RANKING_ON_MARGIN,),
        real_parameters={"margin": 0.0},
        reductions=ELEMENTWISE,
        limits=within(NEVER_NEGATIVE),
        laws=frozenset({Law.ELEMENTWISE}),
    ),
)
