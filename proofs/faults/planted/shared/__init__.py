"""Mistakes that several losses share: one function each, and a table of the faults that it is."""
