"""Putting releases of torch on record: a run on each, summed up in a file of ``cases/history/``, and its table."""
