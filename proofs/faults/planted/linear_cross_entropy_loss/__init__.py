"""Faults in cross entropy of a linear layer."""
