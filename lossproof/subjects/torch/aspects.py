"""Aspects of torch's loss modules other than numbers: classes, dictionaries, state, names.

An aspect is one function: it runs, and its source is the program that shows what ran.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch

from lossproof.subjects.call import Call
from lossproof.subjects.program import Lines
from lossproof.subjects.source import source_of
from lossproof.subjects.torch.forms import keywords_of
from lossproof.subjects.torch.names import look_up
from lossproof.subjects.torch.source import execute
from lossproof.subjects.torch.tensors import make_tensors, tensor_lines

# Arguments that a constructor requires, and that a call derives from the shapes of its weights.
_REQUIRED: Mapping[str, Mapping[str, Any]] = {
    "AdaptiveLogSoftmaxWithLoss": {"in_features": 16, "n_classes": 6, "cutoffs": [2, 4], "head_bias": True},
    "LinearCrossEntropyLoss": {"in_features": 4, "num_classes": 3, "bias": True},
}


def inspect_module(aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
    """An aspect of a module of torch.nn; ``absent`` and ``present`` look up the names in ``expected``."""
    if aspect in _NAMES:
        return _NAMES[aspect](_names_in(expected))
    call = _construction(loss, params)
    look_up(f"torch.nn.{loss}", call.params)
    scope: dict[str, Any] = dict(make_tensors(call))
    execute(_construct(call), scope)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a superseded name warns, which another case checks
        return _ASPECTS[aspect](scope["construct"])


def aspect_program(
    aspect: str, loss: str, params: Mapping[str, Any], expected: object
) -> tuple[dict[str, Lines], Lines, Lines]:
    """The same as lines: for each tensor, for all definitions, and for the call that yields the result."""
    if aspect in _NAMES:
        look = _NAMES[aspect]
        definitions = (*source_of(exists), *source_of(look))
        return {}, definitions, (f"result = {look.__name__}({_names_in(expected)!r})",)
    call, function = _construction(loss, params), _ASPECTS[aspect]
    helpers = source_of(is_alike) if aspect == "copies" else ()
    definitions = (*_construct(call), *helpers, *source_of(function))
    return tensor_lines(call), definitions, (f"result = {function.__name__}(construct)",)


def _names_in(expected: object) -> list[str]:
    return [str(name) for name in (expected if isinstance(expected, list) else [expected])]


def _construction(loss: str, params: Mapping[str, Any]) -> Call:
    """A call with only what its module is constructed from."""
    return Call(loss, {**_REQUIRED.get(loss, {}), **params}, {}, None, "float64")


def _construct(call: Call) -> Lines:
    keywords = ", ".join(f"{name}={expression}" for name, expression in keywords_of(call).items())
    return ("def construct():", f"    return torch.nn.{call.loss}({keywords})")


def exists(dotted: str) -> bool:
    """Whether ``torch.nn.functional.nll_loss``, say, names something."""
    found = torch
    for part in dotted.split(".")[1:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def absent(names: list[str]) -> list[str]:
    """Those of the names that torch does not have."""
    return [name for name in names if not exists(name)]


def present(names: list[str]) -> list[str]:
    """Those of the names that torch has."""
    return [name for name in names if exists(name)]


def class_chain(construct: Callable[[], torch.nn.Module]) -> object:
    """The names of its class and of those that this derives from, down to Module."""
    return [
        ancestor.__name__ for ancestor in type(construct()).__mro__ if issubclass(ancestor, torch.nn.Module)
    ]


def dictionaries(construct: Callable[[], torch.nn.Module]) -> object:
    """How many of its attributes are dictionaries."""
    return sum(isinstance(value, dict) for value in vars(construct()).values())


def legacy_reduction(construct: Callable[[], torch.nn.Module]) -> object:
    """The reduction that it holds, and whether its constructor warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = construct()
    return {"reduction": module.reduction, "warns": any(w.category is UserWarning for w in caught)}


def state_dict(construct: Callable[[], torch.nn.Module]) -> object:
    """Save a module's state, spoil it, load it again: it must be as before."""
    module = construct()
    saved = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for tensor in module.state_dict().values():
        tensor.add_(1)
    module.load_state_dict(saved)
    restored = all(torch.equal(tensor, saved[name]) for name, tensor in module.state_dict().items())
    return {"keys": sorted(saved), "round_trip": restored}


def training_mode(construct: Callable[[], torch.nn.Module]) -> object:
    """Whether it trains: at first, after eval() and after train()."""
    module = construct()
    return [module.training, module.eval().training, module.train().training]


def log_prob(construct: Callable[[], torch.nn.Module]) -> object:
    """What log_prob and predict say is what forward says of every class as the target.

    It is computed in float64 and compared in float32, since the two may sum in different orders.
    """
    module: Any = construct().double()
    with torch.no_grad():
        for number, weight in enumerate(module.parameters()):
            # Any weights will do that differ everywhere and are the same in every run.
            weight.copy_(torch.sin(torch.arange(weight.numel()) + 10.0 * number).reshape(weight.shape))
        input = torch.cos(torch.arange(5.0 * module.in_features)).reshape(5, -1).double()
        targets = [torch.full((5,), target) for target in range(module.n_classes)]
        forward = torch.stack([module(input, target).output for target in targets], dim=1)
        log_prob, predicted = module.log_prob(input), module.predict(input)
    return {
        "log_prob": torch.equal(log_prob.float(), forward.float()),
        "predict": torch.equal(predicted, forward.argmax(dim=1)),
    }


def buffers(construct: Callable[[], torch.nn.Module]) -> object:
    """The names of its buffers."""
    return [name for name, _ in construct().named_buffers()]


def copies(construct: Callable[[], torch.nn.Module]) -> object:
    """A deep copy, and one through pickle, must have the class, attributes and state of the module."""
    module = construct()
    copies = {"deepcopy": copy.deepcopy(module), "pickle": pickle.loads(pickle.dumps(module))}
    return {name: is_alike(one, module) for name, one in copies.items()}


def printed(construct: Callable[[], torch.nn.Module]) -> object:
    """How it prints, on one line."""
    return " ".join(repr(construct()).split())


def is_alike(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two modules have the same class, print, state and plain attributes."""
    if type(one) is not type(other) or repr(one) != repr(other):
        return False
    state, expected = one.state_dict(), other.state_dict()
    plain = (bool, int, float, str)
    return (
        state.keys() == expected.keys()
        and all(torch.equal(tensor, expected[name]) for name, tensor in state.items())
        and all(value == vars(one)[name] for name, value in vars(other).items() if isinstance(value, plain))
    )


_NAMES: Mapping[str, Callable[[list[str]], list[str]]] = {"absent": absent, "present": present}
_ASPECTS: Mapping[str, Callable[[Callable[[], torch.nn.Module]], object]] = {
    "class_chain": class_chain,
    "dictionaries": dictionaries,
    "legacy_reduction": legacy_reduction,
    "buffers": buffers,
    "copies": copies,
    "repr": printed,
    "state_dict": state_dict,
    "training_mode": training_mode,
    "log_prob": log_prob,
}
