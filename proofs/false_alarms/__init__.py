"""Random calls of an unmodified torch, where any disagreement beyond the known defects is a false alarm."""
