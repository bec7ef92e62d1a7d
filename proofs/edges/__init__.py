"""Numbers at the edges of each formula: where, as it runs in a dtype, one of its steps changes."""
