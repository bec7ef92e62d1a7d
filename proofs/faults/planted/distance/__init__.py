"""Faults of distances, and of the losses of pairs and triplets."""
