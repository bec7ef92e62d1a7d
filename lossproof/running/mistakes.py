"""Mistakes in the options of a run."""

from __future__ import annotations


class SelectionError(ValueError):
    """An option names something that does not exist; the message lists the choices."""
