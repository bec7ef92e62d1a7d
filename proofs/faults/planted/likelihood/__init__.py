"""Faults of negative log-likelihoods."""
