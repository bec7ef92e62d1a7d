"""All modes of torch, and which of them apply to a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossproof.subjects.call import Call, tensors_of
from lossproof.subjects.promise import Promise
from lossproof.subjects.torch.modes import (
    backward,
    derivatives,
    disguises,
    inputs,
    laws,
    living,
    process,
    settings,
    spelling,
)
from lossproof.subjects.torch.modes.mode import Mode, always

MODES: Mapping[str, Mode] = {**derivatives.MODES, **disguises.MODES, **settings.MODES}
# Ways of calling: modes so many that each call meets few of them.
_OF_ALL: Mapping[str, Mode] = {**inputs.MODES, **backward.MODES, **process.MODES, **laws.MODES}
_WAYS: Mapping[str, Mode] = {**_OF_ALL, **spelling.MODES}
WAYS_OF_FUNCTIONS: Mapping[str, Mode] = {**_WAYS, **spelling.MODES_OF_FUNCTIONS}
WAYS_OF_MODULES: Mapping[str, Mode] = {**_WAYS, **living.MODES}
# Those for functions of others, which get all parameters, and need not be modules to have a past.
WAYS_OF_OTHERS: Mapping[str, Mode] = {**_OF_ALL, **living.MODES_OF_ALL}


# Those for so few calls that among others they would hardly have a turn.
_RARE = ("same_tensor", "transposed_view", "variance_as_number")


def _grouped(ways: Mapping[str, Mode]) -> tuple[Mapping[str, Mode], ...]:
    """The ways that are for every call, those for many, and those for few: the ways of a group take turns."""
    common = [name for name, way in ways.items() if way.applies is always]
    many = [name for name in ways if name not in (*common, *_RARE)]
    return tuple({name: ways[name] for name in group if name in ways} for group in (common, many, _RARE))


GROUPS_OF_FUNCTIONS = _grouped(WAYS_OF_FUNCTIONS)
GROUPS_OF_MODULES = _grouped(WAYS_OF_MODULES)
GROUPS_OF_OTHERS = _grouped(WAYS_OF_OTHERS)


def mode_named(name: str) -> Mode:
    """The mode or the way of calling of a name."""
    return next(modes[name] for modes in (MODES, WAYS_OF_FUNCTIONS, WAYS_OF_MODULES) if name in modes)


def promises_of(groups: Sequence[Mapping[str, Mode]], call: Call) -> tuple[Mapping[str, Promise], ...]:
    """The promises of those modes of each group that are for a call.

    A call has none if it asks for no gradients, or if its numbers or its result have another dtype than it.
    """
    dtypes = {values.dtype for values in tensors_of(call).values() if values.numbers.dtype.kind in "fc"}
    if not call.wrt or dtypes | {call.upstream_dtype} != {call.dtype}:
        return tuple({} for _ in groups)
    return tuple(
        {
            name: mode.promise
            for name, mode in modes.items()
            if call.dtype in mode.dtypes and (mode.applies is always or mode.applies(call))
        }
        for modes in groups
    )
