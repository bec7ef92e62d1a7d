"""Faults in cross entropy."""
