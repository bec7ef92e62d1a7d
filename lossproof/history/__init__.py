"""Reads the releases on record in ``cases/history/``: a table of defects and conventions by release."""
