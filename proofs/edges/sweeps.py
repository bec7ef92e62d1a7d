"""Which number of which call sweeps through a dtype, for each loss: a new loss needs an entry here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lossproof.numbers.formats import Format

# Stands for the number that sweeps, alone or in a row; the other numbers of the call stay.
X = math.nan

_INF = math.inf
_TINY = 2.0**-14
# Sums of a few powers stay in the range if each is smaller by so many octaves.
_ROOM = 2


@dataclass(frozen=True)
class Sweep:
    """A call of which one number sweeps.

    Attributes:
        loss: its name.
        args: the arguments of a single element or row, with X in them.
        shared: arguments that all rows share.
        params: the parameters but for the reduction.
        variant: a word for the id of the case; the sweeps of a loss with the same word share parameters.
        low, high: between which numbers the loss is defined, or has no known defect with cases of its own.
        power: the power of the number that an implementation may compute on its way. Beyond the root of the
            range that overflows in one and not in another; such numbers are not ordinary, and left out.
    """

    loss: str
    args: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    shared: Mapping[str, Any] = field(default_factory=dict)
    low: float = -_INF
    high: float = _INF
    power: int = 2

    def limits(self, format: Format) -> tuple[float, float]:
        """The least and the greatest number that sweeps through a format."""
        largest = 2.0 ** (math.frexp(format.largest)[1] // self.power - _ROOM)
        return max(self.low, -largest), min(self.high, largest)


# Losses without a sweep, each with its reason.
WITHOUT_EDGES = {
    "NLLLoss2d": "it is NLLLoss on images, and only passes numbers on",
    "Objective": "it adds all its numbers into one, so that no number can be looked at by itself",
}

_PREFERRED = {"anchor": [0.5, -1.0], "positive": [0.25, 0.5], "negative": [1.5, 0.75]}
_TAILS = {
    "cutoffs": [2],
    "div_value": 1.0,
    "head_weight": [[0.5, 1.0], [-1.0, 0.25], [2.0, -0.5]],
    "tail_0_0_weight": [[1.0, 0.5], [-0.25, 1.0]],
    "tail_0_1_weight": [[1.5, -1.0], [-0.5, 0.75]],
}
_LAYER = {"linear_weight": [[0.5, 1.0], [-1.0, 0.25], [2.0, -0.5]]}
_WEIGHTED = {"weight": [0.5, 2.0, 1.25], "label_smoothing": 0.25}
_FRAMES = [[-1.0, -0.5, -2.0], [-0.75, -1.5, -0.25]]
_LENGTHS = {"targets": [1], "input_lengths": 3, "target_lengths": 1}

SWEEPS = (
    Sweep("Softmax", {"input": [X, 0.0, 0.5]}, {"dim": 1}),
    Sweep("LogSoftmax", {"input": [X, 0.0, 0.5]}, {"dim": 1}),
    Sweep("SelfInformation", {"p": X}, low=0.0, high=1.0),
    Sweep("Entropy", {"p": [X, 0.5]}, low=0.0, high=1.0),
    Sweep("DistributionCrossEntropy", {"p": [X, 0.5], "q": [0.25, 0.75]}, low=0.0, high=1.0),
    Sweep("DistributionCrossEntropy", {"p": [0.5, 0.5], "q": [X, 0.75]}, low=0.0, high=1.0),
    Sweep("NLLLoss", {"input": [X, -1.0, -0.5], "target": 0}),
    Sweep("CrossEntropyLoss", {"input": [X, 0.0, 0.5], "target": 0}),
    Sweep("CrossEntropyLoss", {"input": [X, 0.0, 0.5], "target": 1}),
    Sweep("CrossEntropyLoss", {"input": [X, 0.0, 0.5], "target": 0}, _WEIGHTED, "smoothed"),
    Sweep("CrossEntropyLoss", {"input": [X, 0.0, 0.5], "target": [0.25, 0.75, 0.0]}, variant="probabilities"),
    # Nearer to 0 and 1, the bound of the variance is a known defect.
    Sweep("BCELoss", {"input": X, "target": 0.0}, low=2.0**-39, high=1 - 2.0**-39),
    Sweep("BCELoss", {"input": X, "target": 1.0}, low=2.0**-39, high=1 - 2.0**-39),
    Sweep("BCELoss", {"input": 0.25, "target": X}, low=0.0, high=1.0),
    Sweep("BCEWithLogitsLoss", {"input": X, "target": 0.0}),
    Sweep("BCEWithLogitsLoss", {"input": X, "target": 1.0}),
    Sweep("BCEWithLogitsLoss", {"input": X, "target": 0.25}),
    Sweep("BCEWithLogitsLoss", {"input": X, "target": 0.0}, {"pos_weight": [3.0]}, "pos-weight"),
    Sweep("BCEWithLogitsLoss", {"input": X, "target": 1.0}, {"pos_weight": [3.0]}, "pos-weight"),
    Sweep("KLDivLoss", {"input": X, "target": 0.5}),
    # Targets of 0 and subnormal ones have known defects.
    Sweep("KLDivLoss", {"input": -0.5, "target": X}, low=_TINY),
    Sweep("KLDivLoss", {"input": -0.5, "target": X}, {"log_target": True}, "log-target"),
    Sweep("PoissonNLLLoss", {"input": X, "target": 2.0}),
    Sweep("PoissonNLLLoss", {"input": X, "target": 0.0}),
    # So have a target and a rate of 0, or of next to nothing.
    Sweep("PoissonNLLLoss", {"input": 0.5, "target": X}, {"full": True}, "full", low=_TINY),
    Sweep("PoissonNLLLoss", {"input": X, "target": 2.0}, {"log_input": False}, "counts", low=_TINY),
    Sweep("L1Loss", {"input": X, "target": 0.5}),
    Sweep("MSELoss", {"input": X, "target": 0.5}),
    Sweep("MSELoss", {"input": X, "target": 0.0}),
    Sweep("SmoothL1Loss", {"input": X, "target": 0.0}),
    Sweep("SmoothL1Loss", {"input": X, "target": 0.5}, {"beta": 0.375}, "beta"),
    Sweep("SmoothL1Loss", {"input": X, "target": 0.5}, {"beta": 0.0}, "without-beta"),
    Sweep("HuberLoss", {"input": X, "target": 0.0}),
    Sweep("HuberLoss", {"input": X, "target": 0.5}, {"delta": 0.75}, "delta"),
    Sweep("GaussianNLLLoss", {"input": X, "target": 0.5, "var": 0.75}),
    Sweep("GaussianNLLLoss", {"input": 1.0, "target": 0.5, "var": X}, low=0.0),
    Sweep("GaussianNLLLoss", {"input": 1.0, "target": 0.5, "var": X}, {"full": True}, "full", low=0.0),
    Sweep("CTCLoss", {"log_probs": [[-1.0, X, -0.5], *_FRAMES], **_LENGTHS}, high=0.0),
    Sweep("LinearCrossEntropyLoss", {"input": [X, 0.5], "target": 0}, shared=_LAYER),
    Sweep("AdaptiveLogSoftmaxWithLoss", {"input": [X, 0.5], "target": 0}, _TAILS),
    Sweep("AdaptiveLogSoftmaxWithLoss", {"input": [X, 0.5], "target": 3}, _TAILS),
    Sweep("HingeEmbeddingLoss", {"input": X, "target": 1.0}),
    Sweep("HingeEmbeddingLoss", {"input": X, "target": -1.0}),
    Sweep("HingeEmbeddingLoss", {"input": X, "target": -1.0}, {"margin": 0.375}, "margin"),
    Sweep("SoftMarginLoss", {"input": X, "target": 1.0}),
    Sweep("SoftMarginLoss", {"input": X, "target": -1.0}),
    Sweep("MarginRankingLoss", {"input1": X, "input2": 0.5, "target": 1.0}),
    Sweep("MarginRankingLoss", {"input1": X, "input2": 0.5, "target": -1.0}, {"margin": 0.25}, "margin"),
    Sweep("MultiLabelSoftMarginLoss", {"input": [X, 0.5], "target": [1.0, 0.0]}),
    Sweep("MultiLabelSoftMarginLoss", {"input": [X, 0.5], "target": [0.0, 1.0]}),
    Sweep("MultiMarginLoss", {"input": [X, 0.5, -1.0], "target": 0}),
    Sweep("MultiMarginLoss", {"input": [X, 0.5, -1.0], "target": 1}),
    Sweep("MultiMarginLoss", {"input": [X, 0.5, -1.0], "target": 0}, {"p": 2, "margin": 0.75}, "squared"),
    Sweep("MultiLabelMarginLoss", {"input": [X, 0.5, -1.0], "target": [0, -1, 0]}),
    Sweep("MultiLabelMarginLoss", {"input": [X, 0.5, -1.0], "target": [1, -1, 0]}),
    Sweep("CosineSimilarity", {"x1": [X, X], "x2": [1.0, -0.25]}),
    Sweep("CosineSimilarity", {"x1": [X, 0.5], "x2": [1.0, -0.25]}),
    # Of shorter vectors, the squares and what is added to them are known defects.
    Sweep("CosineEmbeddingLoss", {"input1": [X, X], "input2": [1.0, -0.25], "target": 1.0}, low=2.0**-4),
    Sweep("CosineEmbeddingLoss", {"input1": [X, 0.5], "input2": [1.0, -0.25], "target": -1.0}),
    Sweep("PairwiseDistance", {"x1": [X, 0.5], "x2": [0.25, 0.5]}),
    Sweep("PairwiseDistance", {"x1": [X, 0.5], "x2": [0.25, 0.75]}, {"p": 1.0}, "p1"),
    Sweep("PairwiseDistance", {"x1": [X, 0.5], "x2": [0.25, 0.75]}, {"p": 3.0}, "p3", power=3),
    Sweep("TripletMarginLoss", {**_PREFERRED, "anchor": [X, -1.0]}),
    Sweep("TripletMarginLoss", {**_PREFERRED, "negative": [X, 0.75]}),
    Sweep("TripletMarginLoss", {**_PREFERRED, "negative": [X, 0.75]}, {"swap": True}, "swap"),
    Sweep("TripletMarginWithDistanceLoss", {**_PREFERRED, "negative": [X, 0.75]}),
)
