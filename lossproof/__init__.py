"""lossproof: a conformance suite for loss functions.

``forward`` and ``gradient`` are the from-scratch reference: NumPy in, NumPy out, no torch.
"""

from lossproof.reference import forward, gradient

__all__ = ["forward", "gradient"]
