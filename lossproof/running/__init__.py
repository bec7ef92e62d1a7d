"""A run of the harness: what it examines, in which process, and what it says and writes."""
