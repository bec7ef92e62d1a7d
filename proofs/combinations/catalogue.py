"""The tables of all losses."""

from __future__ import annotations

from proofs.combinations import likelihoods, probabilities, regression, signs
from proofs.combinations.table import Table

_FAMILIES = (regression, probabilities, likelihoods, signs)

TABLES: dict[str, Table] = {table.loss: table for family in _FAMILIES for table in family.TABLES}
