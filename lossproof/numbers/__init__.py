"""Numbers that are more than a float, on which a loss runs unchanged."""
