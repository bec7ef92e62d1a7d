"""All planted faults, by id: those that stand in the modules below ``planted``."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from proofs.faults import planted
from proofs.faults.fault import Fault


def _planted() -> Iterator[Fault]:
    for module in pkgutil.walk_packages(planted.__path__, f"{planted.__name__}."):
        if not module.ispkg:
            yield from (one for one in vars(import_module(module.name)).values() if isinstance(one, Fault))


FAULTS: Mapping[str, Fault] = {fault.id: fault for fault in _planted()}
