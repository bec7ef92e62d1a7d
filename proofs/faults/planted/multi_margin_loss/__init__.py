"""Faults in the multi-margin loss."""
