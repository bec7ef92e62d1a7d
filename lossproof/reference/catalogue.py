"""The catalogue: all losses by name. Each family describes its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lossproof.reference import (
    adaptive_softmax,
    binary_cross_entropy,
    cosine,
    cross_entropy,
    ctc,
    distances,
    gaussian_nll,
    hinge,
    huber,
    information,
    kl_divergence,
    linear_cross_entropy,
    multi_margin,
    nll,
    objective,
    poisson_nll,
    regression,
    soft_margin,
    softmax,
    triplet,
)
from lossproof.reference.conventions import Convention
from lossproof.reference.loss import Loss
from lossproof.reference.refusals import OptionRefusal

_FAMILIES = (
    softmax,
    information,
    objective,
    nll,
    cross_entropy,
    binary_cross_entropy,
    kl_divergence,
    poisson_nll,
    regression,
    huber,
    gaussian_nll,
    ctc,
    linear_cross_entropy,
    adaptive_softmax,
    hinge,
    soft_margin,
    multi_margin,
    cosine,
    distances,
    triplet,
)


def by_name(losses: Iterable[Loss]) -> dict[str, Loss]:
    """The losses by their names, in the order given.

    Raises:
        ValueError: where two losses have the same name.
    """
    found: dict[str, Loss] = {}
    for loss in losses:
        if loss.name in found:
            raise ValueError(f"two losses are called {loss.name}")
        found[loss.name] = loss
    return found


LOSSES: Mapping[str, Loss] = by_name(loss for family in _FAMILIES for loss in family.LOSSES)

# All that their formulas leave open, by name.
CONVENTIONS: Mapping[str, Convention] = {
    convention.name: convention for loss in LOSSES.values() for convention in loss.conventions
}


def loss_name(name: str) -> str | None:
    """The name of the loss whose class or function in torch has this name, with or without ``F.``.

    >>> loss_name("F.cross_entropy"), loss_name("mse_loss"), loss_name("L1Loss"), loss_name("hinge")
    ('CrossEntropyLoss', 'MSELoss', 'L1Loss', None)
    """
    functional = {loss.functional: loss.name for loss in LOSSES.values()}
    return name if name in LOSSES else functional.get(name.removeprefix("F."))


def find_loss(name: str) -> Loss:
    """The loss named as in torch.nn, or ``F.name`` as in torch.nn.functional.

    Raises:
        OptionRefusal: for any other name; the message lists the known ones.

    >>> find_loss("F.cross_entropy").name
    'CrossEntropyLoss'
    """
    if name in LOSSES:
        return LOSSES[name]
    for loss in LOSSES.values():
        if loss.functional and name == f"F.{loss.functional}":
            return loss
    raise OptionRefusal(f"there is no loss '{name}'; there are {', '.join(LOSSES)}")
