"""Faults in softmax."""
