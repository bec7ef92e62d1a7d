"""Where the gradients of the Poisson and Gaussian losses are checked: benign, extreme and near kinks."""

from __future__ import annotations

from typing import Any

LOG_RATES = [[0.5, -2.0, 3.0], [-40.0, 20.0, 0.0]]
RATES = [[0.5, 2.0, 2.0**-40], [1000.0, 0.125, 0.0]]
COUNTS = [[1.0, 0.0, 4.0], [1 + 2.0**-30, 1 - 2.0**-30, 100.0]]
SAMPLES = [[1.5, -2.0, 0.25], [-100.0, 3.0, 2.0**-30]]
MEANS = [[1.0, 2.0, 0.25], [100.0, -0.5, 0.0]]
# Above, at and below the least variance, by 2^-30 and by far.
VARIANCES = [[1.0, 0.25, 0.25 + 2.0**-30], [2.0**20, 0.25 - 2.0**-30, 0.0]]

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("PoissonNLLLoss", {}, {"input": LOG_RATES, "target": COUNTS}),
    ("PoissonNLLLoss", {"full": True}, {"input": LOG_RATES, "target": COUNTS}),
    ("PoissonNLLLoss", {"log_input": False}, {"input": RATES, "target": COUNTS}),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 0.25}, {"input": RATES, "target": COUNTS}),
    ("PoissonNLLLoss", {}, {"input": LOG_RATES, "target": COUNTS[1]}),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, {"input": 2.0, "target": COUNTS}),
    ("GaussianNLLLoss", {}, {"input": MEANS, "target": SAMPLES, "var": VARIANCES}),
    ("GaussianNLLLoss", {"full": True, "eps": 0.25}, {"input": MEANS, "target": SAMPLES, "var": VARIANCES}),
    ("GaussianNLLLoss", {}, {"input": MEANS, "target": SAMPLES, "var": [0.5, 2.0]}),
    ("GaussianNLLLoss", {"eps": 1.0}, {"input": MEANS, "target": SAMPLES, "var": [[0.5], [2.0]]}),
    ("GaussianNLLLoss", {}, {"input": MEANS[0], "target": SAMPLES, "var": 0.5}),
    ("GaussianNLLLoss", {}, {"input": MEANS, "target": SAMPLES[0], "var": [[0.5, 2.0, 1.0]]}),
]
