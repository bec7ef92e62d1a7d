"""Faults in the pairwise distance."""
