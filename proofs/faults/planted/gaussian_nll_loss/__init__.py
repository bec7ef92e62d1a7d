"""Faults in the Gaussian negative log-likelihood."""
