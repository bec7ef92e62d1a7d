"""What torch's loss modules are apart from their numbers: classes, dictionaries, state, names."""

from __future__ import annotations

import copy
import functools
import pickle
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch

from lossproof.subjects.call import Unsupported
from lossproof.subjects.module_snippets import NEEDED
from lossproof.subjects.torch.names import look_up


def inspect_module(aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
    """Look at one aspect of a module.

    Args:
        aspect: one of ASPECTS.
        loss: the class's name in torch.nn.
        params: the constructor's keywords.
        expected: for ``absent`` and ``present`` the dotted names to look up; else not used.

    Returns:
        Plain data of the form in which cases state what they expect.

    Raises:
        Unsupported: where torch.nn has no such module, or the module no such parameter.
    """
    if aspect in ("absent", "present"):
        names = expected if isinstance(expected, list) else [expected]
        return [name for name in names if _exists(str(name)) == (aspect == "present")]
    keywords = {**NEEDED.get(loss, {}), **params}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a superseded name warns; another case asks for that
        return ASPECTS[aspect](functools.partial(look_up(f"torch.nn.{loss}", keywords), **keywords))


def _class_chain(construct: Callable[[], torch.nn.Module]) -> object:
    return [
        ancestor.__name__ for ancestor in type(construct()).__mro__ if issubclass(ancestor, torch.nn.Module)
    ]


def _dictionaries(construct: Callable[[], torch.nn.Module]) -> object:
    return sum(isinstance(value, dict) for value in vars(construct()).values())


def _legacy_reduction(construct: Callable[[], torch.nn.Module]) -> object:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = construct()
    return {"reduction": module.reduction, "warns": any(w.category is UserWarning for w in caught)}


def _state_dict(construct: Callable[[], torch.nn.Module]) -> object:
    """Save a module's state, spoil it, load it again: it must be as before."""
    module = construct()
    saved = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for tensor in module.state_dict().values():
        tensor.add_(1)
    module.load_state_dict(saved)
    restored = all(torch.equal(tensor, saved[name]) for name, tensor in module.state_dict().items())
    return {"keys": sorted(saved), "round_trip": restored}


def _training_mode(construct: Callable[[], torch.nn.Module]) -> object:
    module = construct()
    return [module.training, module.eval().training, module.train().training]


def _log_prob(construct: Callable[[], torch.nn.Module]) -> object:
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


def _buffers(construct: Callable[[], torch.nn.Module]) -> object:
    return [name for name, _ in construct().named_buffers()]


def _copies(construct: Callable[[], torch.nn.Module]) -> object:
    """A deep copy, and one through pickle, must have the class, attributes and state of the module."""
    module = construct()
    copies = {"deepcopy": copy.deepcopy(module), "pickle": pickle.loads(pickle.dumps(module))}
    return {name: _is_alike(one, module) for name, one in copies.items()}


def _repr(construct: Callable[[], torch.nn.Module]) -> object:
    """On one line."""
    return " ".join(repr(construct()).split())


def _is_alike(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    if type(one) is not type(other) or repr(one) != repr(other):
        return False
    state, expected = one.state_dict(), other.state_dict()
    plain = (bool, int, float, str)
    return (
        state.keys() == expected.keys()
        and all(torch.equal(tensor, expected[name]) for name, tensor in state.items())
        and all(value == vars(one)[name] for name, value in vars(other).items() if isinstance(value, plain))
    )


ASPECTS: Mapping[str, Callable[[Callable[[], torch.nn.Module]], object]] = {
    "class_chain": _class_chain,
    "dictionaries": _dictionaries,
    "legacy_reduction": _legacy_reduction,
    "buffers": _buffers,
    "copies": _copies,
    "repr": _repr,
    "state_dict": _state_dict,
    "training_mode": _training_mode,
    "log_prob": _log_prob,
}


def _exists(dotted: str) -> bool:
    """Whether ``torch.nn.functional.nll_loss``, say, names something."""
    try:
        look_up(dotted)
    except Unsupported:
        return False
    return True
