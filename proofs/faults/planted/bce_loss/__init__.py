"""Faults in binary cross entropy."""
