"""Faults in the Huber loss."""
