"""The parts of the triplet losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, pairwise_distance

from proofs.faults.tools.kinks import bent, with_added_gradient
from proofs.faults.tools.vectors import as_asked


class Triplets:
    """The distances of a call's triplets, as torch computes them."""

    def __init__(self, anchor: Tensor, positive: Tensor, negative: Tensor, **options: Any) -> None:
        self.options = options
        norm = {name: options[name] for name in ("p", "eps") if name in options}

        def distance(x: Tensor, y: Tensor) -> Tensor:
            chosen = options.get("distance_function")
            measured: Tensor = pairwise_distance(x, y, **norm) if chosen is None else chosen(x, y)
            return measured

        self.to_positive = distance(anchor, positive)
        self.to_negative = distance(anchor, negative)
        self.swapped = distance(positive, negative) if options.get("swap") else None

    def total(self, terms: Tensor) -> Tensor:
        """The terms in the reduction of the call."""
        return as_asked(terms, self.options)

    def excess(self) -> Tensor:
        """The argument of the hinge, which is cut off at 0."""
        nearest = self.to_negative if self.swapped is None else torch.minimum(self.to_negative, self.swapped)
        excess: Tensor = self.options.get("margin", 1.0) + self.to_positive - nearest
        return excess

    def with_hinge(self, result: Tensor, change: float) -> Tensor:
        """The result, with another slope at the kink of the hinge."""
        return bent(result, self.excess(), change, self.total)

    def with_tie(self, result: Tensor, of_anchor: float, of_positive: float) -> Tensor:
        """The result, with these shares of the gradient, not halves, where d(a, n) and d(p, n) are tied."""
        if self.swapped is None:
            return result
        is_tied = (self.to_negative == self.swapped) & (self.excess() >= 0)
        if not is_tied.any():
            return result
        more = (of_anchor - 0.5) * self.to_negative + (of_positive - 0.5) * self.swapped
        return with_added_gradient(result, self.total(-more * is_tied))
