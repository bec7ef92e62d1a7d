"""Faults in the CTC loss."""
