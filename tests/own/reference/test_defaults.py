"""A formula's defaults: whoever calls it directly gets what a call through the catalogue gets."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import Loss


def in_catalogue(loss: Loss) -> dict[str, Any]:
    defaults = {name: option.default for name, option in loss.typed_parameters.items()}
    return {**defaults, "reduction": "mean"}


FORMULAS = [
    pytest.param(name, formula, id=f"{name}-{part}")
    for name, loss in LOSSES.items()
    for part in ("value", "gradient", "derivative")
    if (formula := getattr(loss, part)) is not None
]


@pytest.mark.parametrize(("name", "formula"), FORMULAS)
def test_the_defaults_of_a_formula_are_those_of_the_catalogue(name: str, formula: Callable[..., Any]) -> None:
    written = {
        parameter.name: parameter.default
        for parameter in inspect.signature(formula).parameters.values()
        if parameter.default is not inspect.Parameter.empty
    }
    known = in_catalogue(LOSSES[name])
    assert written == {parameter: known[parameter] for parameter in written}
