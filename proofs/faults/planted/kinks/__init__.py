"""Faults of the gradient exactly at kinks: where a sign, a step, a maximum or a bound is tied.

There a loss has no derivative, and every library has a slope of its own; who moves a model from one to
another meets the difference. Beside the kinks these faults do not show.
"""
