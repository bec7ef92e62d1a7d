"""Faults of the losses that hold linear layers."""
