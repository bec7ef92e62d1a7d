"""Faults of softmax, of information, and of what is added to a loss."""
