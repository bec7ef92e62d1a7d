"""A mistake that several losses share: one function, planted in each of them as a separate fault.

::

    @faults(
        Site("l1-target-detached", "L1Loss"),
        Site("mse-target-detached", "MSELoss", origin="https://github.com/..."),
    )
    def target_without_gradient(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
        return original(input, target.detach(), **options)

The docstring says what the mistake is. Losses that need other words have a table of their own:
``@faults(Site(...), mistake="There is no gradient for the labels.")``. So do sites with the same origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proofs.faults.fault import Fault, mistake_of, target_in


@dataclass(frozen=True)
class Site:
    """Where a mistake is planted: the id of the resulting fault, and more as in ``Fault``."""

    id: str
    loss: str
    origin: str = ""
    blind: bool = False


@dataclass(frozen=True)
class Mistake:
    """A function that replaces several of torch's, and the resulting faults."""

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
    """Turn the function below into a fault at each of the sites.

    Args:
        sites: a table, one row for each fault.
        mistake: the sentence of these faults, if not the function's docstring.
        origin: the origin of the sites that name no other.
        method: the method of the losses' modules to replace; their functions if empty.
        shows_in_modes: see ``Fault``.
        needs: see ``Fault``.
    """

    def make(below: Callable[..., Any] | Mistake) -> Mistake:
        shared = below if isinstance(below, Mistake) else Mistake(below, ())
        replacement = shared.replacement
        sentence = mistake or mistake_of(replacement)
        new_faults = [
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
        return Mistake(replacement, (*new_faults, *shared.faults))

    return make
