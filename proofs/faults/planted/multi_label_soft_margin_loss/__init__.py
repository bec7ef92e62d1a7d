"""Faults in multilabel soft margin loss."""
