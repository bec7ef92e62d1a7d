"""Mutation testing of the reference and the judge."""
