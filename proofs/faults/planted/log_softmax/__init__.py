"""Faults in log-softmax."""
