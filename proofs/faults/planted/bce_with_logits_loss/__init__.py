"""Faults in binary cross entropy of logits."""
