"""Faults in the hinge embedding loss."""
