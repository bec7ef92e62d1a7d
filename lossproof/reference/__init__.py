"""The losses, from scratch: each a formula in NumPy with its closed-form gradient. No torch here."""
