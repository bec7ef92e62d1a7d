"""Ways of calling with other numbers, whose result follows from the plain call's by a law of the loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import Law
from lossproof.subjects.call import Call, Values
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.mode import EVERY_DTYPE, Loss, Mode, Names, Result, Tensors, plain


def swapped(loss: Loss, tensors: Tensors, args: Names, wrt_args: Names, upstream: torch.Tensor) -> Result:
    """The first two arguments have changed places."""
    first, second, *_ = args
    exchanged = {**tensors, first: tensors[second], second: tensors[first]}
    output, gradients = plain(loss, exchanged, wrt_args, upstream)
    return output, {first: gradients[second], second: gradients[first]}


def shifted(loss: Loss, tensors: Tensors, args: Names, wrt_args: Names, upstream: torch.Tensor) -> Result:
    """A one is added to all scores, and nothing is rounded by it."""
    return plain(loss, {**tensors, args[0]: tensors[args[0]] + 1}, wrt_args, upstream)


def reversed_rows(
    loss: Loss, tensors: Tensors, args: Names, wrt_args: Names, upstream: torch.Tensor
) -> Result:
    """The rows of all arguments are in reverse order."""
    backwards = {name: tensors[name].flip(0) for name in args}
    is_by_row = upstream.ndim > 0
    output, gradients = plain(
        loss, {**tensors, **backwards}, wrt_args, upstream.flip(0) if is_by_row else upstream
    )
    gradients = {name: gradient.flip(0) for name, gradient in gradients.items()}
    return output.flip(0) if is_by_row else output, gradients


def halved_weights(loss: Loss, tensors: Tensors, wrt_args: Names, upstream: torch.Tensor) -> Result:
    """All weights are halved, and the results doubled."""
    output, gradients = plain(loss, {**tensors, "weight": tensors["weight"] / 2}, wrt_args, upstream)
    return 2 * output, {name: 2 * gradient for name, gradient in gradients.items()}


def has_symmetry(call: Call) -> bool:
    """Whether the first two arguments are alike, and the loss is symmetric in them."""
    if Law.SYMMETRIC not in LOSSES[call.loss].laws or not set(list(call.args)[:2]) <= set(call.wrt):
        return False
    first, second, *_ = call.args.values()
    return first.numbers.shape == second.numbers.shape and first.dtype == second.dtype


def has_shift(call: Call) -> bool:
    """Whether only differences of scores count, and a one can be added to each without rounding."""
    if Law.INVARIANT_UNDER_SHIFT not in LOSSES[call.loss].laws:
        return False
    scores = next(iter(call.args.values())).numbers
    moved = scores + 1.0
    is_exact = (moved - 1.0 == scores) & (FORMATS[call.dtype].round(moved) == moved)
    return bool(np.all(is_exact & np.isfinite(scores)))


def has_rows(call: Call) -> bool:
    """Whether the arguments have rows that count alike, without weights that belong to some of them."""
    laws, shapes = LOSSES[call.loss].laws, {name: values.numbers.shape for name, values in call.args.items()}
    first = next(iter(shapes.values()))
    if not first or any(isinstance(value, Values) for value in call.params.values()):
        return False
    if Law.ELEMENTWISE in laws:
        return all(shape == first for shape in shapes.values())
    are_alike = all(len(shape) == len(first) for name, shape in shapes.items() if name != "target")
    is_batch = len(first) > 1 and all(shape[:1] == first[:1] for shape in shapes.values())
    return Law.ROW_BY_ROW in laws and are_alike and is_batch


def has_linear_weight(call: Call) -> bool:
    """Whether the result is proportional to the weights of the call."""
    laws = LOSSES[call.loss].laws
    is_weighted_mean = Law.MEAN_BY_WEIGHT in laws and call.reduction in (None, "mean")
    has_weight = isinstance(call.params.get("weight"), Values)
    return has_weight and Law.LINEAR_IN_WEIGHT in laws and not is_weighted_mean


MODES: Mapping[str, Mode] = {
    "swapped": Mode(swapped, Promise.AS_PLAIN, EVERY_DTYPE, has_symmetry, helpers=(plain,)),
    "shifted": Mode(shifted, Promise.AS_PLAIN, EVERY_DTYPE, has_shift, helpers=(plain,)),
    "reversed_rows": Mode(reversed_rows, Promise.AS_PLAIN, EVERY_DTYPE, has_rows, helpers=(plain,)),
    "halved_weights": Mode(
        halved_weights, Promise.AS_PLAIN_IF_FINITE, EVERY_DTYPE, has_linear_weight, helpers=(plain,)
    ),
}
