"""All planted faults, by id: those in the modules below ``planted``."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module

from proofs.faults import planted
from proofs.faults.fault import Fault
from proofs.faults.mistake import Mistake


def by_id(faults: Iterable[Fault]) -> dict[str, Fault]:
    """The faults by id, sorted by id, so that the place of a fault changes no result.

    Raises:
        ValueError: if two faults have the same id.
    """
    catalogue: dict[str, Fault] = {}
    for fault in sorted(faults, key=lambda fault: fault.id):
        if fault.id in catalogue:
            raise ValueError(f"two planted faults are called {fault.id}")
        catalogue[fault.id] = fault
    return catalogue


def _all_faults() -> Iterator[Fault]:
    for module in pkgutil.walk_packages(planted.__path__, f"{planted.__name__}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Fault):
                yield value
            elif isinstance(value, Mistake):
                yield from value.faults


FAULTS: Mapping[str, Fault] = by_id(_all_faults())
