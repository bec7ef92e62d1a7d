"""CosineSimilarity and CosineEmbeddingLoss: the angle between two vectors."""

from __future__ import annotations

import numpy as np

from lossproof.numbers.base import Array
from lossproof.numbers.vector_norm import vector_norm
from lossproof.reference.conventions import gradient_convention, hinge_convention, unit_step
from lossproof.reference.demands import broadcast_shape
from lossproof.reference.loss import ELEMENTWISE, Arguments, Law, Loss, Parameters
from lossproof.reference.option import whole
from lossproof.reference.reductions import reduce, spread, sum_to_shape
from lossproof.reference.refusals import DtypeRefusal, RangeRefusal, ShapeRefusal
from lossproof.reference.steps import step

_SMALLEST_NORM = 1e-8

# torch adds 1e-12 to the squared norms of CosineEmbeddingLoss, which its documentation does not say: each
# vector has one more component of 1e-6 in its norm.
_NORM_ROOM = 1e-6

BELOW_EPS = gradient_convention(
    "cosine-norm-below-eps",
    "Where a norm is below eps and replaced by it, the gradient still takes the norm for a variable.",
    usual="a variable",
)
ON_EPS = hinge_convention("cosine-norm-on-eps", "max(|x|, eps) in CosineSimilarity where |x| = eps", "0")
ON_MARGIN = hinge_convention(
    "cosine-embedding-on-margin", "CosineEmbeddingLoss where the cosine is the margin", "1"
)


def cosine_similarity(x1: Array, x2: Array, *, dim: int = 1, eps: Array = _SMALLEST_NORM) -> Array:
    """cos = sum_i (x1_i / max(|x1|, eps)) (x2_i / max(|x2|, eps)): no product of norms overflows.

    Args:
        x1: real numbers of any shape, broadcast with ``x2``; one of the two must be floating.
        x2: real numbers of any shape.
        dim: the dimension of the vectors, in the shape that both broadcast to.
        eps: the least that a norm counts for, not negative.

    Returns:
        The cosines, in the broadcast shape without ``dim``.

    Raises:
        DtypeRefusal: where neither is floating.
        ShapeRefusal: where shapes do not broadcast, and for a ``dim`` that they do not have.
        RangeRefusal: for an eps that is negative or nan.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"x1": [3.0, 4.0], "x2": [1.0, 0.0]}
    >>> print(forward("CosineSimilarity", {"dim": 0}, call).round(4))
    0.6
    >>> print(gradient("CosineSimilarity", {"dim": 0}, call, "x2").round(4))
    [0.  0.8]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
    """
    first, second = _broadcast(x1, x2, dim)
    unit = first / np.maximum(vector_norm(first, 2, -1), eps)
    other = second / np.maximum(vector_norm(second, 2, -1), eps)
    return step("cosine", np.sum(unit * other, axis=-1))


def cosine_similarity_gradient(
    upstream: Array, x1: Array, x2: Array, *, dim: int = 1, eps: Array = _SMALLEST_NORM
) -> dict[str, Array]:
    """d/dx1 = (u2 - cos x1 / n1) / max(n1, eps), with n1 = |x1| and u2 = x2 / max(|x2|, eps).

    By torch's convention the second term remains where the norm is replaced by eps; the derivative
    of the similarity as documented lacks it there.
    """
    return _cosine_similarity_slopes(upstream, x1, x2, dim, eps, is_convention=True)


def cosine_similarity_derivative(
    upstream: Array, x1: Array, x2: Array, *, dim: int = 1, eps: Array = _SMALLEST_NORM
) -> dict[str, Array]:
    """The derivative of the similarity as documented: below eps a norm is a constant."""
    return _cosine_similarity_slopes(upstream, x1, x2, dim, eps, is_convention=False)


def _cosine_similarity_slopes(
    upstream: Array, x1: Array, x2: Array, dim: int, eps: Array, is_convention: bool
) -> dict[str, Array]:
    first, second = _broadcast(x1, x2, dim)
    norms = vector_norm(first, 2, -1), vector_norm(second, 2, -1)
    units = first / np.maximum(norms[0], eps), second / np.maximum(norms[1], eps)
    share = np.expand_dims(upstream, -1)
    cosine = np.sum(units[0] * units[1], axis=-1, keepdims=True)

    def slope(own: int, vector: Array, shape: tuple[int, ...]) -> Array:
        unit = np.where(norms[own] > 0, vector / norms[own], 0.0)
        along = cosine * (unit if is_convention else unit * unit_step(norms[own] - eps, ON_EPS))
        found = share * (units[1 - own] - along) / np.maximum(norms[own], eps)
        # A number alone has a dimension too many here, which sum_to_shape removes.
        return sum_to_shape(np.moveaxis(found, -1, dim), shape)

    return {"x1": slope(0, first, tuple(x1.shape)), "x2": slope(1, second, tuple(x2.shape))}


def _broadcast(x1: Array, x2: Array, dim: int) -> tuple[Array, Array]:
    """Both in their common shape, the vectors last; a number alone is a vector of one component."""
    shape = np.broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    if not shape:
        return np.reshape(x1, (1,)), np.reshape(x2, (1,))
    first, second = (np.moveaxis(np.broadcast_to(x, shape), dim, -1) for x in (x1, x2))
    return first, second


def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, *, margin: Array = 0.0, reduction: str = "mean"
) -> Array:
    """L = 1 - cos(x1, x2) where y = 1, max(cos(x1, x2) - margin, 0) where y = -1, and 0 for any other y.

    Here |x|^2 in the cosine is sum_i x_i^2 + 1e-12, so that zero vectors have the cosine 0.

    Args:
        input1: real vectors x1 (N, D), or one (D).
        input2: real vectors x2 that broadcast with ``input1``.
        target: y (N), or one without dimensions.
        margin: the cosine up to which an unlike pair costs nothing.
        reduction: none, mean or sum.

    Returns:
        The losses (N) or (); one number where they are reduced.

    Raises:
        ShapeRefusal: for anything but vectors, and shapes that do not belong together.

    >>> from lossproof.reference import forward, gradient
    >>> call = {"input1": [[3.0, 4.0], [3.0, 4.0]], "input2": [[1.0, 0.0], [1.0, 0.0]], "target": [1, -1]}
    >>> print(forward("CosineEmbeddingLoss", {"reduction": "none"}, call).round(4))
    [0.4 0.6]

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
    """
    cosine, _, _ = _cosine(input1, input2)
    losses = np.where(target == 1, 1.0 - cosine, 0.0)
    losses = np.where(target == -1, np.maximum(cosine - margin, 0.0), losses)
    return reduce(step("losses", losses), reduction)


def cosine_embedding_loss_gradient(
    upstream: Array,
    input1: Array,
    input2: Array,
    target: Array,
    *,
    margin: Array = 0.0,
    reduction: str = "mean",
) -> dict[str, Array]:
    """dl/dcos = -1 where y = 1, 1 where y = -1 and cos >= margin, else 0; dcos/dx1 = (u2 - cos u1) / |x1|."""
    cosine, units, norms = _cosine(input1, input2)
    shape = np.broadcast_shapes(tuple(cosine.shape), target.shape)
    share = spread(upstream, shape, reduction)
    # Without a margin the product decides, which is exactly 0 at right angles: a quotient of roots is not.
    product = np.sum(input1 * input2, axis=-1)
    beyond = unit_step(np.where(margin == 0, product, cosine - margin), ON_MARGIN)
    is_like, is_unlike = target == 1, target == -1
    share = np.where(is_like, -share, np.where(is_unlike, beyond * share, 0.0))
    counts = np.broadcast_to(is_like | is_unlike, shape)
    share, counts = (np.expand_dims(sum_to_shape(x, tuple(cosine.shape)), -1) for x in (share, counts))
    cosine = np.expand_dims(cosine, -1)

    def slope(own: int, shape: tuple[int, ...]) -> Array:
        # A norm is of the vector before it is broadcast: its components are then not summed twice.
        across = np.where(counts == 0, 0.0, share * units[1 - own] / norms[own])
        along = np.where(counts == 0, 0.0, share * cosine * units[own] / norms[own])
        across = np.broadcast_to(across, np.broadcast_shapes(across.shape, along.shape))
        return sum_to_shape(across, shape) - sum_to_shape(along, shape)

    return {"input1": slope(0, tuple(input1.shape)), "input2": slope(1, tuple(input2.shape))}


def _cosine(input1: Array, input2: Array) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    """The cosine, the vectors divided by their norms, and the norms."""
    norms = _norm_with_room(input1), _norm_with_room(input2)
    units = input1 / norms[0], input2 / norms[1]
    return step("cosine", np.sum(units[0] * units[1], axis=-1)), units, norms


def _norm_with_room(vectors: Array) -> Array:
    """sqrt(sum_i x_i^2 + 1e-12)."""
    room = np.full((*vectors.shape[:-1], 1), _NORM_ROOM)
    return vector_norm(np.concatenate([vectors, room], axis=-1), 2, -1)


def refuse_cosine_similarity(args: Arguments, params: Parameters) -> None:
    """Refuse what ``cosine_similarity`` lists under Raises."""
    x1, x2 = args["x1"], args["x2"]
    if x1.dtype.kind != "f" and x2.dtype.kind != "f":
        raise DtypeRefusal(f"x1 holds {x1.dtype}, x2 {x2.dtype}; one of them must be floating point")
    shape = broadcast_shape(x1.shape, x2.shape)
    dim, reach = params["dim"], max(len(shape), 1)
    if not -reach <= dim < reach:
        dims = f"-{reach} to {reach - 1}"
        raise ShapeRefusal(f"dim is {dim}; vectors of shape {shape} have the dimensions {dims}")
    eps = params["eps"]
    if not eps >= 0:
        raise RangeRefusal(f"eps is {eps}; it must not be negative")


def refuse_cosine_embedding_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``cosine_embedding_loss`` lists under Raises."""
    input1, input2, target = args["input1"], args["input2"], args["target"]
    if target.ndim > 1:
        raise ShapeRefusal(f"target has shape {target.shape}; it must be one number, or one for each vector")
    for name, values in (("input1", input1), ("input2", input2)):
        if values.ndim != target.ndim + 1:
            raise ShapeRefusal(
                f"{name} has shape {values.shape}; with a target of shape {target.shape} it must have "
                f"{target.ndim + 1} dimension{'s' if target.ndim else ''}"
            )
    broadcast_shape(broadcast_shape(input1.shape, input2.shape)[:-1], target.shape)


LOSSES = (
    Loss(
        "CosineSimilarity",
        "cosine_similarity",
        arguments=("x1", "x2"),
        differentiable=("x1", "x2"),
        value=cosine_similarity,
        gradient=cosine_similarity_gradient,
        refuse=refuse_cosine_similarity,
        derivative=cosine_similarity_derivative,
        conventions=(BELOW_EPS, ON_EPS),
        real_parameters={"eps": _SMALLEST_NORM},
        options={"dim": whole(1)},
        counts_numbers=True,
        laws=frozenset({Law.SYMMETRIC}),
    ),
    Loss(
        "CosineEmbeddingLoss",
        "cosine_embedding_loss",
        arguments=("input1", "input2", "target"),
        differentiable=("input1", "input2"),
        value=cosine_embedding_loss,
        gradient=cosine_embedding_loss_gradient,
        refuse=refuse_cosine_embedding_loss,
        conventions=(ON_MARGIN,),
        real_parameters={"margin": 0.0},
        reductions=ELEMENTWISE,
        typed_by=("input1", "input2"),
        laws=frozenset({Law.SYMMETRIC, Law.ROW_BY_ROW}),
    ),
)
