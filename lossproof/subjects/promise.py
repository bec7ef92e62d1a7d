"""What a mode promises of a call: how what comes out of it follows from the plain call."""

from __future__ import annotations

from enum import Enum, auto


class Promise(Enum):
    """What comes out of a mode, B being the bound of the plain call, and 2B its tolerance.

    Attributes:
        AS_PLAIN: value, gradients and dtype of the plain call, both within their tolerance.
        BIT_FOR_BIT: the same to the last bit; the mode's program names the plain call's result ``first``.
        GRADIENTS: the gradients of the plain call, a record for each, both within their tolerance.
        ROWS: a value of which each row is the value of the plain call, both within their tolerance.
        ABSTRACT: shapes and dtype of the plain call, and nothing computed.
        COMPUTED_IN: the true value, within the budget of the narrowest dtype that any operation returned;
            its dtype is that one or float32.
        DERIVATIVE: as the value, the output's derivative along the directions. Weighted by the upstream
            gradient, it is the sum of gradient * direction over all tensors. That holds for outputs of any
            shape, takes kinks and conventions as the gradient does, and needs no other formula.
        SECOND_DERIVATIVE: as the gradients, the derivatives along the directions of sum(upstream * gradient),
            a record for each. They are dual numbers on the closed-form gradient, and graded. A gradient by
            ``upstream`` is the same as the ``DERIVATIVE``.
    """

    AS_PLAIN = auto()
    BIT_FOR_BIT = auto()
    GRADIENTS = auto()
    ROWS = auto()
    ABSTRACT = auto()
    COMPUTED_IN = auto()
    DERIVATIVE = auto()
    SECOND_DERIVATIVE = auto()
