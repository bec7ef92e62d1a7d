"""Subjects made of somebody's functions: one function, or a table of them, on the arrays of any library."""
