"""What the reference knows of a loss: its names, what it takes, and the functions that define it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Any

import numpy.typing as npt

from lossproof.numbers.base import Array
from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.conventions import DERIVATIVE, Convention
from lossproof.reference.limits import NO_LIMITS, Limits
from lossproof.reference.option import TENSOR, Kind, Option, boolean, real, word

Arguments = Mapping[str, npt.NDArray[Any]]
Parameters = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]

ELEMENTWISE = ("none", "mean", "sum")


def refuse_nothing(args: Arguments, params: Parameters) -> None:
    """For functions that are defined on everything they are given."""


class Law(Enum):
    """What a loss promises of other calls than one.

    Attributes:
        SYMMETRIC: its first two arguments may change places.
        INVARIANT_UNDER_SHIFT: only differences of the numbers of its first argument count.
        ELEMENTWISE: each element of the arguments counts alike, and by itself.
        ROW_BY_ROW: each row of the arguments, of which the first has at least two dimensions, counts alike,
            and by itself.
        LINEAR_IN_WEIGHT: it is proportional to its ``weight``.
        MEAN_BY_WEIGHT: its mean, however, is divided by the sum of the weights.
    """

    SYMMETRIC = auto()
    INVARIANT_UNDER_SHIFT = auto()
    ELEMENTWISE = auto()
    ROW_BY_ROW = auto()
    LINEAR_IN_WEIGHT = auto()
    MEAN_BY_WEIGHT = auto()


@dataclass(frozen=True)
class Loss:
    """One function of the reference.

    Attributes:
        name: as in torch.nn, or a name of ours where torch has none.
        functional: its name in torch.nn.functional, or None.
        arguments: forward's tensor arguments, in torch's order.
        differentiable: those that torch can differentiate when they are floating.
        takes_complex: whether they may hold complex numbers.
        value: the formula, called with arguments and parameters.
        gradient: its closed-form gradient; called with the upstream gradient first, it returns one
            array for each differentiable argument and tensor parameter that was given.
        refuse: raises a Refusal for what the loss does not take.
        advise: the warning that a legal call deserves, or None; it is given the reduction too.
        derivative: the derivative of the value, where torch's gradient is by convention another function.
        conventions: those whose picks its formulas use.
        tensor_parameters: parameters that are tensors.
        differentiable_parameters: those of them that torch can differentiate, given the shapes.
        real_parameters: parameters that enter the formula as real numbers, with their defaults.
        options: all other parameters.
        functional_only: parameters that torch.nn.functional takes and the module does not.
        reductions: the reductions it knows, or none of them for a plain function.
        has_legacy_reduction: whether it takes size_average and reduce, which reduction superseded.
        indices: which of the arguments hold integers (class indices, lengths), given the shapes.
        alike: the arguments and tensor parameters that must share a dtype, given the shapes.
        typed_by: those whose promotion is the dtype of the result, where not all count: labels are only
            compared or give a sign, and some weights only scale.
        limits: the least and the most that the value can be for numbers by name, however it is rounded; see
            ``limits``.
        laws: what it promises of other calls.
        counts_numbers: whether a tensor without dimensions counts in promotion like any other, since it is
            broadcast before it meets them, or they are summed.
    """

    name: str
    functional: str | None
    arguments: tuple[str, ...]
    differentiable: tuple[str, ...]
    value: Callable[..., Array]
    gradient: Callable[..., dict[str, Array]]
    takes_complex: bool = False
    refuse: Callable[[Arguments, Parameters], None] = refuse_nothing
    advise: Callable[[Arguments, Parameters], ReferenceWarning | None] = lambda args, params: None
    derivative: Callable[..., dict[str, Array]] | None = None
    conventions: tuple[Convention, ...] = ()
    tensor_parameters: tuple[str, ...] = ()
    differentiable_parameters: Callable[[Shapes], tuple[str, ...]] = lambda shapes: ()
    real_parameters: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    functional_only: tuple[str, ...] = ()
    reductions: tuple[str, ...] = ()
    has_legacy_reduction: bool = True
    indices: Callable[[Shapes], tuple[str, ...]] = lambda shapes: ()
    alike: Callable[[Shapes], tuple[str, ...]] = lambda shapes: ()
    typed_by: tuple[str, ...] = ()
    limits: Callable[[Mapping[str, Any]], Limits] = lambda numbers: NO_LIMITS
    laws: frozenset[Law] = frozenset()
    counts_numbers: bool = False

    @cached_property
    def convention(self) -> Convention | None:
        """That of its gradient, where the gradient is deliberately not the derivative."""
        return next((one for one in self.conventions if DERIVATIVE in one.picks), None)

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters but the reduction."""
        return (*self.tensor_parameters, *self.real_parameters, *self.options)

    @property
    def results(self) -> tuple[str, ...]:
        """The reductions by which results are keyed; ``none`` where there is no reduction."""
        return self.reductions or ("none",)

    def indices_among(self, shapes: Shapes) -> tuple[str, ...]:
        """Which of these arguments hold integers; where one is missing, nothing tells."""
        return self.indices(shapes) if set(self.arguments) <= set(shapes) else ()

    @cached_property
    def typed_parameters(self) -> Mapping[str, Option]:
        """What each parameter may be."""
        tensors = dict.fromkeys(self.tensor_parameters, TENSOR)
        reals = {name: real(default) for name, default in self.real_parameters.items()}
        return tensors | reals | dict(self.options)

    @property
    def typed_reductions(self) -> Mapping[str, Option]:
        """What the reduction may be, and the two parameters that it superseded."""
        if not self.reductions:
            return {}
        legacy = ("size_average", "reduce") if self.has_legacy_reduction else ()
        return {"reduction": word("mean", self.reductions), **dict.fromkeys(legacy, boolean(None))}

    @property
    def index_parameters(self) -> tuple[str, ...]:
        """The parameters that are lists of whole numbers."""
        return tuple(name for name, option in self.options.items() if option.kind is Kind.WHOLES)
