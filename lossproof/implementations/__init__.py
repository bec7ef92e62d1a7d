"""Losses of other libraries, as subjects: a file for each library, which imports the library."""
