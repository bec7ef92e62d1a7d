"""Random calls of an unmodified torch, on which any disagreement beyond the known defects is a false alarm."""
