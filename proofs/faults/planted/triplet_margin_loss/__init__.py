"""Faults in the triplet margin loss."""
