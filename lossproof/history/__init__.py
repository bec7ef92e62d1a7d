"""Defects and conventions by release of torch: what `cases/history/` has on record, as a table."""
