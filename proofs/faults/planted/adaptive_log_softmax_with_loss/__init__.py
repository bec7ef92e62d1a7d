"""Faults in the adaptive log-softmax, which torch has as a module only."""
