"""Faults in the negative log-likelihood."""
