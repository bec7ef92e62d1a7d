"""All planted faults, by id."""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.faults import cross_entropy
from lossproof.faults.fault import Fault

# A family is a module; its faults are the functions in it that are marked as such.
_FAMILIES = (cross_entropy,)

FAULTS: Mapping[str, Fault] = {
    fault.id: fault for family in _FAMILIES for fault in vars(family).values() if isinstance(fault, Fault)
}
