"""Faults of the regression losses."""
