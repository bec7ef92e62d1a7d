"""Faults in the cosine embedding loss."""
