"""Faults in the Poisson negative log-likelihood."""
