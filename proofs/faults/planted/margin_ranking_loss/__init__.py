"""Faults in the margin ranking loss."""
