"""Where the gradients of the regression losses are checked: benign, extreme and near their kinks."""

from __future__ import annotations

from typing import Any

INPUT = [[0.5, -1.25, 3.0], [1e-30, 1e10, -7.5]]
TARGET = [[0.25, 2.0, 2.5], [-1e-30, 1e5, -7.25]]
WEIGHT = [[0.5, 2.0, 1.25], [3.0, 0.125, 0.0]]
# One last binary digit to either side of the kinks at -1.5 and 1.5.
NEAR_KINK = [1.5 - 2.0**-52, 1.5 + 2.0**-52, -1.5 - 2.0**-52, -1.5 + 2.0**-52]
# ... and of the kink of |d| at 0.
NEAR_ZERO = [5e-324, -5e-324, 2.0**-1022]

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("L1Loss", {}, {"input": INPUT, "target": TARGET}),
    ("L1Loss", {}, {"input": NEAR_ZERO, "target": [0.0, 0.0, 0.0]}),
    ("L1Loss", {"weight": WEIGHT}, {"input": INPUT, "target": TARGET}),
    ("L1Loss", {"weight": WEIGHT}, {"input": INPUT, "target": TARGET[0]}),
    ("L1Loss", {"weight": WEIGHT[0]}, {"input": INPUT[0], "target": TARGET}),
    ("MSELoss", {}, {"input": INPUT, "target": TARGET}),
    ("MSELoss", {}, {"input": [[0.5], [3.0]], "target": TARGET[0]}),
    ("MSELoss", {"weight": WEIGHT}, {"input": INPUT, "target": TARGET}),
    ("MSELoss", {"weight": [[0.5], [3.0]]}, {"input": [[0.5], [3.0]], "target": TARGET[0]}),
    ("SmoothL1Loss", {}, {"input": INPUT, "target": TARGET}),
    ("SmoothL1Loss", {"beta": 1.5}, {"input": NEAR_KINK, "target": [0.0, 0.0, 0.0, 0.0]}),
    ("SmoothL1Loss", {"beta": 0.0}, {"input": INPUT, "target": TARGET}),
    ("SmoothL1Loss", {"beta": 1e-300}, {"input": [*NEAR_ZERO, 1.0], "target": [0.0, 0.0, 0.0, 0.5]}),
    ("SmoothL1Loss", {"beta": 1e300}, {"input": INPUT, "target": TARGET[1]}),
    ("HuberLoss", {}, {"input": INPUT, "target": TARGET}),
    ("HuberLoss", {"delta": 1.5}, {"input": NEAR_KINK, "target": [0.0, 0.0, 0.0, 0.0]}),
    ("HuberLoss", {"delta": 1e-300}, {"input": [*NEAR_ZERO, 1.0], "target": [0.0, 0.0, 0.0, 0.5]}),
    ("HuberLoss", {"delta": 1e20, "weight": WEIGHT}, {"input": INPUT, "target": TARGET}),
    ("HuberLoss", {"delta": 0.375, "weight": WEIGHT}, {"input": INPUT, "target": TARGET[0]}),
    ("HuberLoss", {"weight": WEIGHT[1]}, {"input": INPUT[1], "target": TARGET}),
]
