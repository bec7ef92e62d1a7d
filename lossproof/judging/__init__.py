"""Judging: what a call should yield, how far it may be off, and the record of what came out."""
