"""What a mode promises for a call: how its result follows from the plain call."""

from __future__ import annotations

from enum import Enum, auto


class Promise(Enum):
    """The result of a mode. Where numbers are compared, both calls may use up the budget 2B.

    Attributes:
        AS_PLAIN: value, gradients and dtype of the plain call.
        VALUE_AS_PLAIN: value and dtype of the plain call, with no gradients; also where only they are wrong.
        AS_PLAIN_IF_FINITE: value, gradients and dtype of the plain call, if inputs, value and gradients are
            finite; else nothing.
        BIT_FOR_BIT: the same to the last bit; the mode's program names the plain call's result ``first``.
        GRADIENTS: the gradients of the plain call, with a record for each.
        ONES: value and dtype of the plain call, and its gradients for an upstream gradient of ones.
        EVERY_SECOND: value and dtype of the plain call, and its gradients for an upstream gradient in which
            every second number is 0, from the first on.
        JOINT_GRADIENT: value and dtype of the plain call, and as the only gradient the sum of those by the
            first two arguments.
        NOT_FINITE: gradients that are infinite or nan wherever those of the plain call are not 0, if inputs,
            value and gradients of that call are finite.
        ROWS: a value in which each row is the value of the plain call.
        ABSTRACT: shapes and dtype of the plain call, with nothing computed.
        COMPUTED_IN: the true value, within the budget of the narrowest dtype that any operation returned;
            the dtype is this one or float32.
        DERIVATIVE: as the value, the output's derivative along the directions. Weighted by the upstream
            gradient, it is the sum of gradient * direction over all tensors. That holds for outputs of any
            shape, treats kinks and conventions as the gradient does, and needs no other formula.
        SECOND_DERIVATIVE: as the gradients, the derivatives along the directions of sum(upstream * gradient),
            with a record for each. They come from dual numbers in the closed-form gradient, and are graded.
            A gradient by ``upstream`` is the same as the ``DERIVATIVE``.
    """

    AS_PLAIN = auto()
    VALUE_AS_PLAIN = auto()
    AS_PLAIN_IF_FINITE = auto()
    BIT_FOR_BIT = auto()
    GRADIENTS = auto()
    ONES = auto()
    EVERY_SECOND = auto()
    JOINT_GRADIENT = auto()
    NOT_FINITE = auto()
    ROWS = auto()
    ABSTRACT = auto()
    COMPUTED_IN = auto()
    DERIVATIVE = auto()
    SECOND_DERIVATIVE = auto()
