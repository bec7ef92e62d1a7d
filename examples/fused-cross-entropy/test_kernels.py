"""Each case of the suite is a test of this project."""

from __future__ import annotations

from kernels import cross_entropy

import lossproof


@lossproof.conforms(
    "CrossEntropyLoss",
    dtypes=["float32"],
    lacks=["probabilities", "unbatched", "images", "narrow_indices"],
)
def test_cross_entropy(call):
    return call(cross_entropy)
