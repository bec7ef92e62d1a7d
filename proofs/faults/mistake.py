"""A mistake that several losses share: one function, planted in each of them as a fault of its own.

::

    @faults(
        Site("l1-target-detached", "L1Loss"),
        Site("mse-target-detached", "MSELoss", origin="https://github.com/..."),
    )
    def target_without_gradient(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
        return original(input, target.detach(), **options)

The docstring says what the mistake is. Where it has other words in some losses, these stand in a table of
their own: ``@faults(Site(...), mistake="There is no gradient for the labels.")``. So do those of one origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proofs.faults.fault import Fault, mistake_of, target_in


@dataclass(frozen=True)
class Site:
    """Where a mistake is planted: the id of the fault that it is there, and more as in ``Fault``."""

    id: str
    loss: str
    origin: str = ""
    blind: bool = False


@dataclass(frozen=True)
class Mistake:
    """A function that takes the place of several of torch's, and the faults that it is there."""

    replacement: Callable[..., Any]
    faults: tuple[Fault, ...]


def faults(
    *sites: Site,
    mistake: str = "",
    origin: str = "",
    method: str = "",
    shows_in_modes: bool = False,
    needs: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any] | Mistake], Mistake]:
    """Make a fault of the function below at each of the sites.

    Args:
        sites: a table, one row for each fault.
        mistake: the sentence of these faults, if not the function's docstring.
        origin: that of the sites that name no other.
        method: what to replace of the losses' modules; the losses' functions if empty.
        shows_in_modes: see ``Fault``.
        needs: see ``Fault``.
    """

    def make(below: Callable[..., Any] | Mistake) -> Mistake:
        shared = below if isinstance(below, Mistake) else Mistake(below, ())
        replacement = shared.replacement
        sentence = mistake or mistake_of(replacement)
        made = [
            Fault(
                site.id,
                site.loss,
                sentence,
                site.origin or origin,
                target_in(site.loss, method),
                replacement,
                site.blind,
                shows_in_modes,
                needs,
            )
            for site in sites
        ]
        return Mistake(replacement, (*made, *shared.faults))

    return make
