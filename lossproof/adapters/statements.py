"""What is wrong with what an implementer states of a table of functions, before any of them is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lossproof.adapters.arrays import LIBRARIES
from lossproof.adapters.features import ALL_FEATURES
from lossproof.adapters.forms import as_entry
from lossproof.adapters.parameters import stated_types
from lossproof.corpus.complaints import suggestion
from lossproof.reference.catalogue import LOSSES

if TYPE_CHECKING:
    from lossproof.adapters.functions import FunctionTable


class TableError(ValueError):
    """What is stated of a table of functions is wrong; the message says what to do."""


def demand_sense(subject: FunctionTable) -> None:
    """Raise a TableError if there is a mistake in the attributes of a table."""
    if mistakes := [*mistakes_in(subject)]:
        raise TableError("; ".join(mistakes))


def mistakes_in(subject: FunctionTable) -> Iterator[str]:
    """A sentence for each mistake in the attributes of a table of functions."""
    who = type(subject).__name__
    if not isinstance(getattr(subject, "name", None), str):
        yield f"{who} has no name; add name = '...', by which --subjects selects it"
    if isinstance(subject.library, str) and subject.library not in LIBRARIES:
        yield f"there are no arrays of '{subject.library}'; {suggestion(subject.library, LIBRARIES)}"
    if isinstance(subject.features_lacked, str):
        yield f"features_lacked is a text; write ({subject.features_lacked!r},)"
    else:
        for name in subject.features_lacked:
            if name not in ALL_FEATURES:
                yield f"there is no feature '{name}'; {suggestion(name, ALL_FEATURES)}"
    if not subject.table:
        yield f"{who} has no losses; add table = {{'MSELoss': ...}}"
    for loss, stated in subject.table.items():
        if loss not in LOSSES:
            yield f"the table has '{loss}', which is no loss; {suggestion(loss, LOSSES)}"
            continue
        entry = as_entry(stated)
        if not callable(entry.function):
            kind = type(entry.function).__name__
            yield f"{loss} is of type {kind} in the table, which cannot be called; name a function"
        yield from mistakes_in_fixed(loss, entry.fixed)


def mistakes_in_fixed(loss: str, fixed: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each value that is fixed, but is not one of the loss."""
    parameters, reductions = stated_types(loss), LOSSES[loss].reductions
    for name, value in fixed.items():
        if name not in parameters:
            yield f"{loss} has no parameter '{name}', which is fixed; {suggestion(name, parameters)}"
        elif name == "reduction" and value not in reductions:
            yield f"{loss} has no reduction '{value}', which is fixed; choose from {', '.join(reductions)}"
