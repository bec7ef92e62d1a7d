"""Faults of the losses with a margin."""
