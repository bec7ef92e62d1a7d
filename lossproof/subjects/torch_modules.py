"""What torch's loss modules are apart from their numbers: classes, dictionaries, state, names."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch


def inspect_module(aspect: str, loss: str, params: Mapping[str, Any], expected: object) -> object:
    """Look at one aspect of a module.

    Args:
        aspect: one of ASPECTS.
        loss: the class's name in torch.nn.
        params: the constructor's keywords.
        expected: for ``absent`` and ``present`` the dotted names to look up; else not used.

    Returns:
        Plain data of the form in which cases state what they expect.
    """
    if aspect in ("absent", "present"):
        names = expected if isinstance(expected, list) else [expected]
        return [name for name in names if _exists(str(name)) == (aspect == "present")]
    return ASPECTS[aspect](functools.partial(getattr(torch.nn, loss), **params))


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


ASPECTS: Mapping[str, Callable[[Callable[[], torch.nn.Module]], object]] = {
    "class_chain": _class_chain,
    "dictionaries": _dictionaries,
    "legacy_reduction": _legacy_reduction,
    "state_dict": _state_dict,
    "training_mode": _training_mode,
}


def _exists(dotted: str) -> bool:
    """Whether ``torch.nn.functional.nll_loss``, say, names something."""
    found: object = torch
    for part in dotted.split(".")[1:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True
