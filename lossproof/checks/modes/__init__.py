"""Modes: other ways of running a call, in which a loss is the same loss."""
