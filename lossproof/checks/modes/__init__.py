"""Modes: other ways of running a call, in which the loss must be the same loss."""
