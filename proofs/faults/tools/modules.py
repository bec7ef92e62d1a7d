"""The private classes that torch's losses derive from."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import CosineEmbeddingLoss

# The base class of torch's losses, whose name is private.
LossClass: Any = CosineEmbeddingLoss.__base__
# The base class of torch's losses with weights, whose name is private.
WeightedLossClass: Any = torch.nn.NLLLoss.__base__
