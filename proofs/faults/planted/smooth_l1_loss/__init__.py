"""Faults in the smooth L1 loss."""
