"""Faults in the multi-label margin loss."""
