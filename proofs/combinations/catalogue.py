"""The tables of all losses."""

from __future__ import annotations

from proofs.combinations import (
    classes,
    distributions,
    labels,
    layers,
    likelihoods,
    probabilities,
    regression,
    sequences,
    signs,
    vectors,
)
from proofs.combinations.table import Table

_FAMILIES = (
    distributions,
    classes,
    labels,
    probabilities,
    likelihoods,
    regression,
    signs,
    vectors,
    sequences,
    layers,
)

TABLES: tuple[Table, ...] = tuple(table for family in _FAMILIES for table in family.TABLES)
