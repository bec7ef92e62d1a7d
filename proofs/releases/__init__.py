"""Puts releases of torch on record: a summary of a run on each in ``cases/history/``, and their table."""
