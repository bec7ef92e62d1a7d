"""Faults of the loss of sequences."""
