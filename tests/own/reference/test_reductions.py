"""Reductions: sums and quotients of the elements, and the undoing of a broadcast."""

from __future__ import annotations

import numpy as np
import pytest
from loss_arguments import call

from lossproof.reference.advice import ReferenceWarning
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.reductions import sum_to_shape

pytestmark = pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning", "ignore:NLLLoss2d")


@pytest.mark.parametrize(
    "shape", [(), (1,), (4,), (1, 1), (3, 1), (1, 4), (3, 4), (1, 1, 4), (2, 1, 1), (1, 3, 1), (2, 3, 4)]
)
def test_the_sum_goes_back_to_where_the_element_came_from(shape: tuple[int, ...]) -> None:
    gradient = np.arange(24.0).reshape(2, 3, 4)
    places = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), gradient.shape)
    collected = np.bincount(places.ravel(), weights=gradient.ravel()).reshape(shape)
    np.testing.assert_array_equal(sum_to_shape(gradient, shape), collected)


@pytest.mark.parametrize(
    ("size_average", "reduce", "reduction"),
    [
        (None, True, "mean"),
        (None, False, "none"),
        (True, None, "mean"),
        (True, True, "mean"),
        (True, False, "none"),
        (False, None, "sum"),
        (False, True, "sum"),
        (False, False, "none"),
    ],
)
def test_the_legacy_arguments_override_the_reduction(
    size_average: bool | None, reduce: bool | None, reduction: str
) -> None:
    with pytest.warns(ReferenceWarning, match=f"reduction='{reduction}'"):
        value = call("BCELoss", size_average=size_average, reduce=reduce, reduction="sum")
    np.testing.assert_array_equal(value, call("BCELoss", reduction=reduction))


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.reductions])
def test_reductions_are_sums_and_quotients_of_the_elements(loss: str) -> None:
    elements = call(loss, reduction="none")
    if "sum" in LOSSES[loss].reductions:
        np.testing.assert_allclose(call(loss, reduction="sum"), elements.sum(), rtol=1e-14)
    averaged = {
        "CTCLoss": lambda: elements / [2, 1],  # by the lengths of the targets
        "AdaptiveLogSoftmaxWithLoss": lambda: -elements,  # its elements are log-probabilities
    }.get(loss, lambda: elements)()
    np.testing.assert_allclose(call(loss, reduction="mean"), averaged.mean(), rtol=1e-14)
    if "batchmean" in LOSSES[loss].reductions:
        np.testing.assert_allclose(call(loss, reduction="batchmean"), elements.sum() / 2, rtol=1e-14)
