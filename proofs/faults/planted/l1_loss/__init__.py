"""Faults in the L1 loss."""
