"""Ways of calling a module that has lived before: nothing of its past may come out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import torch

from lossproof.subjects.call import Call, Values
from lossproof.subjects.program import Lines
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.forms import WITH_LAYERS
from lossproof.subjects.torch.modes.mode import EVERY_DTYPE, Loss, Mode, Names, Result, Tensors, always, plain

Make = Callable[..., torch.nn.Module]


def halved(tensors: Tensors) -> Tensors:
    """Other numbers of the same shapes and dtypes: halves, and class indices and lengths in reverse order."""
    return {
        name: tensor.detach() / 2
        if tensor.is_floating_point() or tensor.is_complex()
        else reversed_rows(tensor)
        for name, tensor in tensors.items()
    }


def reversed_rows(tensor: torch.Tensor) -> torch.Tensor:
    """The rows in reverse order, if there are any."""
    return tensor.flip(0) if tensor.ndim else tensor


def called_before(make: Make, forward: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The module has been called with other numbers."""
    module = make(**tensors)
    forward(module, **halved(tensors))
    return plain(partial(forward, module), tensors, wrt, upstream)


def other_batch_before(
    make: Make, forward: Loss, tensors: Tensors, args: Names, wrt: Names, upstream: torch.Tensor
) -> Result:
    """The module has been called with a batch of twice the size, which it may have refused."""
    module = make(**tensors)
    doubled = {name: torch.cat([tensors[name]] * 2) for name in args if tensors[name].ndim}
    with suppress(Exception):  # where the first dimension is no batch
        forward(module, **{**tensors, **doubled})
    return plain(partial(forward, module), tensors, wrt, upstream)


def evaluating(make: Make, forward: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """The module is set to evaluate, and has been called in training."""
    module = make(**tensors)
    forward(module, **halved(tensors))
    module.eval()
    return plain(partial(forward, module), tensors, wrt, upstream)


def copied(make: Make, forward: Loss, tensors: Tensors, wrt_args: Names, upstream: torch.Tensor) -> Result:
    """A copy of a module that has been called; the copy has weights of its own."""
    module = make(**tensors)
    forward(module, **halved(tensors))
    duplicate = copy.deepcopy(module)
    forward(module, **halved(tensors))
    return plain(partial(forward, duplicate), tensors, wrt_args, upstream)


def reloaded(make: Make, forward: Loss, tensors: Tensors, wrt_args: Names, upstream: torch.Tensor) -> Result:
    """A module with halved weights has been called, in training and to evaluate, and then loads others."""
    module = make(**halved(tensors))
    forward(module, **halved(tensors))
    module.eval()
    forward(module, **halved(tensors))
    module.load_state_dict(make(**tensors).state_dict())
    return plain(partial(forward, module), tensors, wrt_args, upstream)


def reweighted(
    make: Make, forward: Loss, tensors: Tensors, wrt_args: Names, upstream: torch.Tensor
) -> Result:
    """A module with halved weights has been called, and has then been given the right ones."""
    module = make(**halved(tensors))
    forward(module, **halved(tensors))
    for name, _ in list(module.named_buffers()):
        setattr(module, name, tensors[name])
    return plain(partial(forward, module), tensors, wrt_args, upstream)


def converted(make: Make, forward: Loss, tensors: Tensors, wrt_args: Names, upstream: torch.Tensor) -> Result:
    """A module that was made with weights in float64, and converted to the dtype of the call."""
    wider = {
        name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }
    module = make(**wider).to(upstream.dtype)
    return plain(partial(forward, module), tensors, wrt_args, upstream)


def two_threads(make: Make, forward: Loss, tensors: Tensors, wrt: Names, upstream: torch.Tensor) -> Result:
    """Another thread calls the module with halved numbers; of our calls, the first that it disturbs."""
    module, others = make(**tensors), halved(tensors)
    alone, gradients = plain(partial(forward, module), tensors, wrt, upstream)
    with ThreadPoolExecutor(max_workers=1) as other:
        theirs = other.submit(lambda: [forward(module, **others) for _ in range(8)])
        ours = [forward(module, **tensors) for _ in range(8)]
        theirs.result()
    disturbed = [output for output in ours if output.tolist() != alone.tolist()]
    return (*disturbed, alone)[0], gradients


def lends_no_weights(call: Call) -> bool:
    """Whether the module is called as it is: what swaps its weights is not for two threads at once."""
    return call.loss not in WITH_LAYERS


def has_weights(call: Call) -> bool:
    """Whether the module keeps tensors of the call as buffers."""
    return any(isinstance(value, Values) for value in call.params.values())


_PARTIAL = "from functools import partial"


def _mode(
    function: Callable[..., Result],
    applies: Callable[[Call], bool] = always,
    imports: Lines = (),
) -> Mode:
    return Mode(
        function, Promise.AS_PLAIN, EVERY_DTYPE, applies, (plain, reversed_rows, halved), (*imports, _PARTIAL)
    )


MODES: Mapping[str, Mode] = {
    "called_before": _mode(called_before),
    "other_batch_before": _mode(other_batch_before, imports=("from contextlib import suppress",)),
    "evaluating": _mode(evaluating),
    "copied": _mode(copied, imports=("import copy",)),
    "reloaded": _mode(reloaded, has_weights),
    "reweighted": _mode(reweighted, has_weights),
    "converted": _mode(converted, has_weights),
    "two_threads": _mode(
        two_threads, lends_no_weights, imports=("from concurrent.futures import ThreadPoolExecutor",)
    ),
}
# Those in which what is called need not be a module.
MODES_OF_ALL: Mapping[str, Mode] = {
    name: MODES[name] for name in ("called_before", "other_batch_before", "two_threads")
}
