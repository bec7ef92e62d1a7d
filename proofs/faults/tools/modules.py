"""The private classes that torch's losses derive from."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import CosineEmbeddingLoss

# The private class that torch's losses derive from, whatever it is called.
LossClass: Any = CosineEmbeddingLoss.__base__
# The private class that torch's losses with weights derive from, whatever it is called.
WeightedLossClass: Any = torch.nn.NLLLoss.__base__
