"""Ways of calling in which the tensors are the same numbers, but come from elsewhere or ask for less."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lossproof.subjects.call import Call
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes.mode import EVERY_DTYPE, Loss, Mode, Names, Result, Tensors, always, plain


def leaving(loss: Loss, tensors: Tensors) -> torch.Tensor:
    """The value, of a call that leaves the numbers of its tensors as they are."""
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    output = loss(**tensors)
    for name, tensor in tensors.items():
        if not ((tensor == before[name]) | (tensor != tensor)).all():
            raise ValueError(f"the call changed {name}")
    return output


def no_grad(loss: Loss, tensors: Tensors, wrt: Names) -> Result:
    """The value of tensors that require gradients, where none are recorded; the second of two calls."""
    for name in wrt:
        tensors[name].requires_grad_()
    with torch.no_grad():
        leaving(loss, tensors)
        return loss(**tensors), {}


def inference_mode(loss: Loss, tensors: Tensors) -> Result:
    """The value of tensors made in inference mode, of which nobody needs the numbers but the next call."""
    with torch.inference_mode():
        made = {name: tensor.clone() for name, tensor in tensors.items()}
        leaving(loss, made)
        return loss(**made), {}


def without_gradients(loss: Loss, tensors: Tensors) -> Result:
    """The value of tensors that require no gradients; the second of two calls on the same tensors."""
    leaving(loss, tensors)
    return loss(**tensors), {}


def only_first(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Only the first tensor requires gradients; the second of two calls on the same tensors."""
    plain(loss, tensors, wrt[:1], upstream)
    return plain(loss, tensors, wrt[:1], upstream)


def only_last(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Only the last tensor requires gradients."""
    return plain(loss, tensors, wrt[-1:], upstream)


def after_layer(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The tensors come out of a layer, as in a network; the second of two passes through both."""
    sources = {name: tensors[name].requires_grad_() for name in wrt}
    computed = {name: source.clone() for name, source in sources.items()}
    for _ in range(2):
        output = loss(**{**tensors, **computed})
        gradients = torch.autograd.grad(output, list(sources.values()), upstream, materialize_grads=True)
    return output, dict(zip(wrt, gradients, strict=True))


def between_nans(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as the middle one of a batch: it starts inside its memory."""
    poison = float("nan") if tensor.is_floating_point() else 0
    batch = tensor.new_full((3, *tensor.shape), poison)
    batch[1] = tensor
    return batch[1]


def offset(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Each tensor is one of a batch."""
    return plain(loss, {name: between_nans(tensor) for name, tensor in tensors.items()}, wrt, upstream)


def first_offset(loss: Loss, tensors: Tensors, args: Names, wrt: Names, upstream: torch.Tensor) -> Result:
    """Only the first argument is one of a batch."""
    return plain(loss, {**tensors, args[0]: between_nans(tensors[args[0]])}, wrt, upstream)


def others_offset(loss: Loss, tensors: Tensors, args: Names, wrt: Names, upstream: torch.Tensor) -> Result:
    """All but the first argument are each one of a batch."""
    laid_out = {name: between_nans(tensor) for name, tensor in tensors.items()}
    return plain(loss, {**laid_out, args[0]: tensors[args[0]]}, wrt, upstream)


def inner_columns(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as the columns of a wider one: its rows have gaps between them."""
    if not tensor.ndim:
        return tensor
    poison = float("nan") if tensor.is_floating_point() else 0
    wider = tensor.new_full((*tensor.shape[:-1], tensor.shape[-1] + 3), poison)
    wider[..., 1:-2] = tensor
    return wider[..., 1:-2]


def sliced(loss: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Each tensor is a slice of a wider one."""
    return plain(loss, {name: inner_columns(tensor) for name, tensor in tensors.items()}, wrt, upstream)


def spread(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor with its dimensions in reverse order in memory, and a gap after each element."""
    order = list(reversed(range(tensor.ndim)))
    poison = float("nan") if tensor.is_floating_point() else 0
    buffer = tensor.new_full((*reversed(tensor.shape), 2), poison)
    buffer[..., 0] = tensor.permute(order)
    return buffer[..., 0].permute(order)


def first_spread(loss: Loss, tensors: Tensors, args: Names, wrt: Names, upstream: torch.Tensor) -> Result:
    """Only the first argument is not contiguous."""
    return plain(loss, {**tensors, args[0]: spread(tensors[args[0]])}, wrt, upstream)


def others_spread(loss: Loss, tensors: Tensors, args: Names, wrt: Names, upstream: torch.Tensor) -> Result:
    """Only the first argument is contiguous."""
    laid_out = {name: spread(tensor) for name, tensor in tensors.items()}
    return plain(loss, {**laid_out, args[0]: tensors[args[0]]}, wrt, upstream)


def same_tensor(loss: Loss, tensors: Tensors, args: Names, upstream: torch.Tensor) -> Result:
    """The first two arguments, whose numbers are equal, are one tensor, with one gradient by both."""
    first, second, *_ = args
    return plain(loss, {**tensors, second: tensors[first]}, (first,), upstream)


def transposed_view(loss: Loss, tensors: Tensors, args: Names, upstream: torch.Tensor) -> Result:
    """The second argument, whose numbers are those of the first transposed, is a view of it."""
    first, second, *_ = args
    return plain(loss, {**tensors, second: tensors[first].detach().T}, (first,), upstream)


def has_several(call: Call) -> bool:
    """Whether several tensors of a call may require gradients."""
    return len(call.wrt) > 1


def has_equal_arguments(call: Call) -> bool:
    """Whether the first two arguments of a call are the same numbers, and both may require gradients."""
    names = list(call.args)[:2]
    if len(names) < 2 or not set(names) <= set(call.wrt):
        return False
    first, second = (call.args[name] for name in names)
    is_alike = first.dtype == second.dtype and first.numbers.shape == second.numbers.shape
    return is_alike and first.numbers.tobytes() == second.numbers.tobytes()


def has_transposed_arguments(call: Call) -> bool:
    """Whether the second argument of a call is the transpose of the first, by which it is differentiated."""
    names = list(call.args)[:2]
    if len(names) < 2 or names[0] not in call.wrt:
        return False
    first, second = (call.args[name] for name in names)
    if first.numbers.ndim != 2 or first.dtype != second.dtype or first.numbers.shape != second.numbers.shape:
        return False
    # Not a matrix that is its own transpose: a view of it is the same tensor.
    return first.numbers.T.tobytes() == second.numbers.tobytes() != first.numbers.tobytes()


_SAME, _VALUE = Promise.AS_PLAIN, Promise.VALUE_AS_PLAIN
MODES: Mapping[str, Mode] = {
    "no_grad": Mode(no_grad, _VALUE, EVERY_DTYPE, always, helpers=(leaving,)),
    "inference_mode": Mode(inference_mode, _VALUE, EVERY_DTYPE, always, helpers=(leaving,)),
    "without_gradients": Mode(
        without_gradients, Promise.VALUE_AS_PLAIN, EVERY_DTYPE, always, helpers=(leaving,)
    ),
    "only_first": Mode(only_first, _SAME, EVERY_DTYPE, has_several, helpers=(plain,)),
    "only_last": Mode(only_last, _SAME, EVERY_DTYPE, has_several, helpers=(plain,)),
    "after_layer": Mode(after_layer, _SAME, EVERY_DTYPE, always),
    "offset": Mode(offset, _SAME, EVERY_DTYPE, always, helpers=(plain, between_nans)),
    "first_offset": Mode(first_offset, _SAME, EVERY_DTYPE, always, helpers=(plain, between_nans)),
    "others_offset": Mode(others_offset, _SAME, EVERY_DTYPE, always, helpers=(plain, between_nans)),
    "sliced": Mode(sliced, _SAME, EVERY_DTYPE, always, helpers=(plain, inner_columns), layout="strided"),
    "first_spread": Mode(first_spread, _SAME, EVERY_DTYPE, always, helpers=(plain, spread), layout="strided"),
    "others_spread": Mode(
        others_spread, _SAME, EVERY_DTYPE, always, helpers=(plain, spread), layout="strided"
    ),
    "same_tensor": Mode(
        same_tensor, Promise.JOINT_GRADIENT, EVERY_DTYPE, has_equal_arguments, helpers=(plain,)
    ),
    "transposed_view": Mode(transposed_view, _SAME, EVERY_DTYPE, has_transposed_arguments, helpers=(plain,)),
}
