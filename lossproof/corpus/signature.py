"""What the loader must know of a loss to judge a case's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signature:
    """The names that a loss takes.

    Attributes:
        arguments: forward's tensor arguments, in order.
        parameters: the constructor's keywords besides reduction, size_average and reduce.
        reductions: the reductions it supports; empty for functions without any.
    """

    arguments: tuple[str, ...]
    parameters: tuple[str, ...]
    reductions: tuple[str, ...]

    @property
    def results(self) -> tuple[str, ...]:
        """The reductions by which results are keyed; ``none`` where there is no reduction."""
        return self.reductions or ("none",)
