"""The losses, from scratch: each a formula in NumPy with its closed-form gradient. No torch here.

``forward`` and ``gradient`` are the door. They take a loss by its name and arrays, or lists of numbers; they
raise what the docstring of the loss lists under Raises, and a DtypeRefusal for complex numbers where it does
not say that it takes them.

Behind them stand the bare formulas, functions such as ``regression.l1_loss``. These trust what they are given
and run on any kind of number, not on float64 alone. To each belongs a function of the same name and
``_gradient``, which is called with the upstream gradient first and otherwise as the formula is. It returns
the gradient of sum(upstream * loss) by each differentiable tensor, in that tensor's shape, under its name.
"""

from lossproof.reference.evaluation import forward, gradient
from lossproof.reference.refusals import (
    DtypeRefusal,
    IndexRefusal,
    OptionRefusal,
    RangeRefusal,
    Refusal,
    ShapeRefusal,
)

__all__ = [
    "DtypeRefusal",
    "IndexRefusal",
    "OptionRefusal",
    "RangeRefusal",
    "Refusal",
    "ShapeRefusal",
    "forward",
    "gradient",
]
