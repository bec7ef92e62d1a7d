"""Releases of torch, put on record: a run on each, summed up in ``cases/history/``, and the table of all."""
