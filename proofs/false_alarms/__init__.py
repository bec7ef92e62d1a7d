"""Random calls of an unmodified torch: what disagrees outside the known defects is a false alarm of ours."""
