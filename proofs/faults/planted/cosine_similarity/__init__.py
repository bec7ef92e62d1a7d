"""Faults in the cosine similarity."""
