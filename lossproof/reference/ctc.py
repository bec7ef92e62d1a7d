"""CTCLoss: the negative log-likelihood of a target under all its alignments with the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.numbers.log_sum_exp import log_sum_exp
from lossproof.numbers.sharing import shared
from lossproof.reference.conventions import gradient_convention
from lossproof.reference.ctc_lattice import Lattice, lattice_of
from lossproof.reference.demands import demand_floating
from lossproof.reference.loss import ELEMENTWISE, Arguments, Loss, Parameters
from lossproof.reference.option import boolean, whole
from lossproof.reference.reductions import reduce, spread
from lossproof.reference.refusals import DtypeRefusal, IndexRefusal, RangeRefusal, ShapeRefusal
from lossproof.reference.steps import step

BY_LOGITS = gradient_convention(
    "ctc-gradient-by-logits",
    "torch's gradient by log_probs is the one by the logits of a log-softmax that made them.",
    usual="by logits",
)


def ctc_loss(
    log_probs: Array,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    *,
    blank: int = 0,
    zero_infinity: bool = False,
    reduction: str = "mean",
) -> Array:
    """l_n = -log sum over the alignments a of target n of prod_t p[t, n, a_t]; infinite where none exists.

    The mean is over the batch, of l_n / max(S_n, 1).

    Args:
        log_probs: floating log-probabilities log p, (T, N, C), or (T, C) for a single input.
        targets: class indices, (N, S) padded or all N concatenated.
        input_lengths: (N), the frames of each input that count, at most T.
        target_lengths: (N), the length S_n of each target.
        blank: the class that separates labels. A target should not hold it; where one does, it is
            treated like any other label.
        zero_infinity: whether an infinite loss becomes 0.
        reduction: none, mean or sum.

    Returns:
        The losses (N), or () for a single input; one number where they are reduced.

    Raises:
        DtypeRefusal: for log_probs that are not floating, and indices or lengths that are not whole numbers.
        ShapeRefusal: for shapes that do not belong together, and where there is nothing to align.
        RangeRefusal: for a length that is negative, or more than the frames.
        IndexRefusal: for a target or a blank outside the classes.

    >>> from lossproof.reference import forward
    >>> halves = np.log(np.full((2, 2), 0.5))  # two frames, and a blank and one label, equally likely
    >>> call = {"log_probs": halves, "targets": [1], "input_lengths": [2], "target_lengths": [1]}
    >>> print(np.exp(-forward("CTCLoss", {}, call)).round(4))  # three of four alignments
    0.75

    Source: Graves, Fernandez, Gomez and Schmidhuber (2006), "Connectionist temporal classification";
    https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
    """
    lattice = _lattice(targets, input_lengths, target_lengths, blank)
    alphas = step("alpha", lattice.forward(lattice.emissions(_batch(log_probs))))
    losses = step("losses", -lattice.log_likelihoods(alphas))
    if zero_infinity:
        losses = np.where(losses == np.inf, 0.0, losses)
    if reduction == "mean":
        losses = step("losses / max(S, 1)", losses / np.maximum(lattice.target_lengths, 1))
    return reduce(losses if log_probs.ndim == 3 else np.squeeze(losses, 0), reduction)


def ctc_loss_gradient(upstream: Array, log_probs: Array, **rest: Any) -> dict[str, Array]:
    """Minus posterior plus p: dl/dx for logits x with log p = log_softmax(x), reported for log p itself.

    The posterior of class c in frame t is the share of the alignments that have c there.
    """
    return _differentiate(lambda log_p, posterior: np.exp(log_p) - posterior, upstream, log_probs, **rest)


def ctc_loss_derivative(upstream: Array, log_probs: Array, **rest: Any) -> dict[str, Array]:
    """dl/dlog p = -posterior."""
    return _differentiate(lambda log_p, posterior: -posterior, upstream, log_probs, **rest)


def _differentiate(
    slope: Callable[[Array, Array], Array],
    upstream: Array,
    log_probs: Array,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    *,
    blank: int,
    zero_infinity: bool,
    reduction: str,
) -> dict[str, Array]:
    """Scale the slope of each loss by what reaches it; frames beyond an input's length have none."""
    lattice = _lattice(targets, input_lengths, target_lengths, blank)
    log_p = _batch(log_probs)
    posterior, losses = _posterior(lattice, log_p)
    counts = np.arange(log_p.shape[0])[:, None] <= lattice.last_frame
    if zero_infinity:
        counts = counts & (losses != np.inf)
    share = np.reshape(spread(upstream, losses.shape, reduction), (-1, 1))
    if reduction == "mean":
        share = share / np.maximum(lattice.target_lengths, 1)[:, None]
    gradient = np.where(counts[..., None], slope(log_p, posterior) * share, 0.0)
    return {"log_probs": np.reshape(gradient, tuple(log_probs.shape))}


@shared
def _posterior(lattice: Lattice, log_p: Array) -> tuple[Array, Array]:
    """exp(log sum_s exp(alpha_s + beta_s) + l - log p[c]) over the states s of class c, and the losses l.

    It is 0/0 where the target has no alignment.
    """
    emissions = lattice.emissions(log_p)
    alphas = lattice.forward(emissions)
    losses = -lattice.log_likelihoods(alphas)
    both = alphas + lattice.backward(emissions)
    used = np.unique(lattice.labels)
    sums = [log_sum_exp(np.where(lattice.labels == label, both, -np.inf), 2) for label in used]
    place = np.zeros(log_p.shape[2], dtype=np.int64)
    place[used] = 1 + np.arange(used.size)
    through = np.stack([np.full(log_p.shape[:2], -np.inf), *sums], axis=2)[..., place]
    # A class without states has no share of a finite loss; its own infinity would leave inf - inf.
    posterior = np.where(through == -np.inf, 0.0 * losses[:, None], np.exp(through + losses[:, None] - log_p))
    return posterior, losses


def _batch(log_probs: Array) -> Array:
    """(T, N, C), from a single (T, C) too."""
    return log_probs if log_probs.ndim == 3 else np.expand_dims(log_probs, 1)


def _lattice(targets: Array, input_lengths: Array, target_lengths: Array, blank: int) -> Lattice:
    return lattice_of(targets, _counts(input_lengths), _counts(target_lengths), blank)


def _counts(lengths: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Lengths of any integer dtype and shape as (N), signed."""
    return np.ravel(lengths).astype(np.int64)


def refuse_ctc_loss(args: Arguments, params: Parameters) -> None:
    """Refuse what ``ctc_loss`` lists under Raises."""
    log_probs, targets = args["log_probs"], args["targets"]
    demand_floating("log_probs", log_probs)
    if log_probs.ndim not in (2, 3):
        raise ShapeRefusal(f"log_probs has shape {log_probs.shape}; it must be (T, C) or (T, N, C)")
    if log_probs.size == 0:
        raise ShapeRefusal(f"log_probs has shape {log_probs.shape}: there is nothing to align")
    frames, batch, classes = _batch(log_probs).shape
    input_lengths = _demand_lengths("input_lengths", args["input_lengths"], batch)
    target_lengths = _demand_lengths("target_lengths", args["target_lengths"], batch)
    if np.any(input_lengths > frames):
        raise RangeRefusal(f"input_lengths holds {input_lengths.max()}, but log_probs has {frames} frames")
    blank = params["blank"]
    if not 0 <= blank < classes:
        raise IndexRefusal(f"blank is {blank}; it must be one of the {classes} classes")
    _demand_targets(targets, target_lengths, batch)
    lattice = _lattice(targets, input_lengths, target_lengths, blank)
    labels = lattice.labels[:, 1::2][lattice.is_state[:, 1::2]]
    outside = (labels < 0) | (labels >= classes)
    if np.any(outside):
        raise IndexRefusal(f"targets hold {labels[outside][0]}; there are {classes} classes")


def _demand_lengths(name: str, lengths: npt.NDArray[Any], batch: int) -> npt.NDArray[Any]:
    if lengths.dtype.kind not in "iu":
        raise DtypeRefusal(f"{name} holds {lengths.dtype}; lengths are integers")
    if lengths.size != batch:
        raise ShapeRefusal(f"{name} has {lengths.size} elements; a batch of {batch} needs as many")
    if np.any(lengths < 0):
        raise RangeRefusal(f"{name} holds {lengths.min()}; a length is not negative")
    return _counts(lengths)


def _demand_targets(targets: npt.NDArray[Any], lengths: npt.NDArray[Any], batch: int) -> None:
    if targets.dtype.kind not in "iub":
        raise DtypeRefusal(f"targets hold {targets.dtype}; they are class indices")
    if targets.ndim == 1 and targets.size == lengths.sum():
        return
    if targets.ndim == 2 and targets.shape[0] == batch and targets.shape[1] >= lengths.max():
        return
    raise ShapeRefusal(
        f"targets have shape {targets.shape}; for target_lengths {lengths.tolist()} they must be "
        f"({lengths.sum()},) or ({batch}, S) with S at least {lengths.max()}"
    )


LOSSES = (
    Loss(
        "CTCLoss",
        "ctc_loss",
        arguments=("log_probs", "targets", "input_lengths", "target_lengths"),
        differentiable=("log_probs",),
        value=ctc_loss,
        gradient=ctc_loss_gradient,
        refuse=refuse_ctc_loss,
        derivative=ctc_loss_derivative,
        conventions=(BY_LOGITS,),
        options={"blank": whole(0), "zero_infinity": boolean(False)},
        reductions=ELEMENTWISE,
        has_legacy_reduction=False,
        indices=lambda shapes: ("targets", "input_lengths", "target_lengths"),
    ),
)
