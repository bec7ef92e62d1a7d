"""A run of the harness: it selects trials, examines them in a second process, and reports on them."""
