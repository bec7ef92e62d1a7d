"""What the loader must know of a loss to judge a case's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lossproof.corpus.tensors import Shape, Tensor
from lossproof.corpus.values import shape_of
from lossproof.reference.option import Option


@dataclass(frozen=True)
class Signature:
    """The names that a loss takes, and what they may hold.

    Attributes:
        arguments: forward's tensor arguments, in order.
        options: the constructor's keywords besides reduction, size_average and reduce.
        reductions: the reductions it supports; empty for functions without any.
        indices: which of the arguments hold whole numbers (class indices, lengths), given the shapes.
        conventions: what its formula leaves open, by name, and the words for what may be picked.
    """

    arguments: tuple[str, ...]
    options: Mapping[str, Option]
    reductions: tuple[str, ...]
    indices: Callable[[Mapping[str, Shape]], tuple[str, ...]]
    conventions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the constructor's keywords."""
        return tuple(self.options)

    def indices_of(self, args: Mapping[str, Tensor]) -> tuple[str, ...]:
        """Which of these arguments hold whole numbers; where one is missing, nothing tells."""
        is_complete = set(self.arguments) <= set(args)
        return self.indices({name: shape_of(tensor) for name, tensor in args.items()}) if is_complete else ()

    @property
    def results(self) -> tuple[str, ...]:
        """The reductions by which results are keyed; ``none`` where there is no reduction."""
        return self.reductions or ("none",)
