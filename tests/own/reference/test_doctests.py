"""The docstrings of the reference: their examples print what they say, and no loss lacks a part of one."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import re
from importlib import import_module

import pytest

from lossproof import reference
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import refuse_nothing

_MODULES = [
    import_module(f"{reference.__name__}.{module.name}")
    for module in pkgutil.iter_modules(reference.__path__)
]
_EXAMPLES = {
    test.name: test for module in _MODULES for test in doctest.DocTestFinder().find(module) if test.examples
}


@pytest.mark.parametrize("name", _EXAMPLES)
def test_an_example_prints_what_it_says(name: str) -> None:
    output: list[str] = []
    doctest.DocTestRunner(verbose=False).run(_EXAMPLES[name], out=output.append)
    assert not output, "".join(output)


@pytest.mark.parametrize("name", LOSSES)
def test_the_docstring_of_a_loss_has_all_its_parts(name: str) -> None:
    loss = LOSSES[name]
    parts = ["Args:", "Returns:", ">>> ", "Source: "]
    if loss.refuse is not refuse_nothing:
        parts.append("Raises:")
    docstring = inspect.getdoc(loss.value) or ""
    assert [part for part in parts if f"\n\n{part}" not in docstring] == []
    described = re.findall(r"^    ([\w, ]+):", docstring, flags=re.MULTILINE)
    names = {name for line in described for name in line.split(", ")}
    declared = inspect.signature(loss.value).parameters.values()
    assert {one.name for one in declared if one.kind is not one.VAR_KEYWORD} - names == set()
