"""Faults in the modules of the losses of vectors, not in their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import (
    CosineEmbeddingLoss,
    CosineSimilarity,
    Module,
    PairwiseDistance,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from torch.nn.functional import triplet_margin_with_distance_loss

from proofs.faults.fault import Function, fault

_OLD = {"size_average": None, "reduce": None}
# The private class that torch's losses derive from, whatever it is called.
_Loss: Any = CosineEmbeddingLoss.__base__


class _SimilarityAsLoss(_Loss):  # type: ignore[misc]  # a class by its place, not by its name
    """What CosineSimilarity would be if it were one of the losses."""

    forward = CosineSimilarity.forward


class _DistanceAsLoss(_Loss):  # type: ignore[misc]  # a class by its place, not by its name
    """What PairwiseDistance would be if it were one of the losses."""

    forward = PairwiseDistance.forward


class _PlainModule(Module):
    """What a loss would be if it were a module and no more."""


@fault("CosineSimilarity", at="torch.nn.CosineSimilarity.__init__")
def cosine_module_eps_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its eps."""
    return original(*args, **{**options, "eps": 1e-8})


@fault("CosineSimilarity", at="torch.nn.CosineSimilarity.__init__")
def cosine_module_buffer(original: Function, self: CosineSimilarity, *args: Any, **options: Any) -> None:
    """The module keeps its eps in a buffer, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("smallest_norm", torch.tensor(self.eps))


@fault("CosineSimilarity", at="torch.nn.CosineSimilarity.__init__")
def cosine_module_is_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from the class of the losses, and so has a reduction that it does not heed."""
    original(self, *args, **options)
    self.__class__ = _SimilarityAsLoss


@fault("PairwiseDistance", at="torch.nn.PairwiseDistance.__init__")
def pairwise_module_eps_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its eps."""
    return original(*args, **{**options, "eps": 1e-6})


@fault("PairwiseDistance", at="torch.nn.PairwiseDistance.__init__")
def pairwise_module_buffer(original: Function, self: PairwiseDistance, *args: Any, **options: Any) -> None:
    """The module keeps its degree in a buffer, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("degree", torch.tensor(self.norm))


@fault("PairwiseDistance", at="torch.nn.PairwiseDistance.__init__")
def pairwise_module_is_loss(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module derives from the class of the losses, and so has a reduction that it does not heed."""
    original(self, *args, **options)
    self.__class__ = _DistanceAsLoss


@fault("CosineEmbeddingLoss", at="torch.nn.CosineEmbeddingLoss.__init__")
def cosine_embedding_module_margin_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its margin."""
    return original(*args, **{**options, "margin": 0.0})


@fault("CosineEmbeddingLoss", at="torch.nn.CosineEmbeddingLoss.__init__")
def cosine_embedding_module_old_reduction_ignored(original: Function, *args: Any, **options: Any) -> Any:
    """The module takes no notice of size_average and reduce."""
    return original(*args, **options | _OLD)


@fault("CosineEmbeddingLoss", at="torch.nn.CosineEmbeddingLoss.__setstate__")
def cosine_embedding_module_copied_without_margin(
    original: Function, self: CosineEmbeddingLoss, state: Any
) -> None:
    """A copy of the module has the default margin again."""
    original(self, state)
    self.margin = 0.0


@fault("CosineEmbeddingLoss", at="torch.nn.CosineEmbeddingLoss.__init__")
def cosine_embedding_module_buffer(
    original: Function, self: CosineEmbeddingLoss, *args: Any, **options: Any
) -> None:
    """The module keeps its margin in a buffer as well, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("threshold", torch.tensor(self.margin))


@fault("CosineEmbeddingLoss", at="torch.nn.CosineEmbeddingLoss.extra_repr")
def cosine_embedding_module_repr_with_margin(original: Callable[..., str], self: CosineEmbeddingLoss) -> str:
    """The module's repr prints its margin."""
    return f"margin={self.margin}"


@fault("CosineEmbeddingLoss", at="torch.nn.CosineEmbeddingLoss.__init__")
def cosine_embedding_module_is_plain(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module does not derive from the class of the losses."""
    original(self, *args, **options)
    self.__class__ = _PlainModule


@fault("TripletMarginLoss", at="torch.nn.TripletMarginLoss.__init__")
def triplet_module_p_dropped(original: Function, *args: Any, **options: Any) -> Any:
    """The module forgets its degree."""
    return original(*args, **{**options, "p": 2.0})


@fault("TripletMarginLoss", at="torch.nn.TripletMarginLoss.__init__")
def triplet_module_old_reduction_ignored(original: Function, *args: Any, **options: Any) -> Any:
    """The module takes no notice of size_average and reduce."""
    return original(*args, **options | _OLD)


@fault("TripletMarginLoss", at="torch.nn.TripletMarginLoss.__setstate__")
def triplet_module_copied_without_swap(original: Function, self: TripletMarginLoss, state: Any) -> None:
    """A copy of the module has forgotten to swap."""
    original(self, state)
    self.swap = False


@fault("TripletMarginLoss", at="torch.nn.TripletMarginLoss.__init__")
def triplet_module_buffer(original: Function, self: TripletMarginLoss, *args: Any, **options: Any) -> None:
    """The module keeps its margin in a buffer as well, and so in its state."""
    original(self, *args, **options)
    self.register_buffer("threshold", torch.tensor(self.margin))


@fault("TripletMarginLoss", at="torch.nn.TripletMarginLoss.extra_repr")
def triplet_module_repr_with_margin(original: Callable[..., str], self: TripletMarginLoss) -> str:
    """The module's repr prints its margin."""
    return f"margin={self.margin}"


@fault(
    "TripletMarginLoss",
    origin="https://github.com/pytorch/pytorch/pull/5680",
    at="torch.nn.TripletMarginLoss.__init__",
)
def triplet_module_is_plain(original: Function, self: Module, *args: Any, **options: Any) -> None:
    """The module does not derive from the class of the losses."""
    original(self, *args, **options)
    self.__class__ = _PlainModule


@fault("TripletMarginWithDistanceLoss", at="torch.nn.TripletMarginWithDistanceLoss.forward")
def triplet_distance_module_swap_forgotten(
    original: Function,
    self: TripletMarginWithDistanceLoss,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
) -> Tensor:
    """The module calls the function without swap."""
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=self.distance_function,
        margin=self.margin,
        reduction=self.reduction,
    )


@fault("TripletMarginWithDistanceLoss", at="torch.nn.TripletMarginWithDistanceLoss.__init__")
def triplet_distance_module_without_default(
    original: Function, self: TripletMarginWithDistanceLoss, **options: Any
) -> None:
    """The module leaves it to the function to have a default distance."""
    original(self, **options)
    if options.get("distance_function") is None:
        self.distance_function = None


@fault("TripletMarginWithDistanceLoss", at="torch.nn.TripletMarginWithDistanceLoss.__init__")
def triplet_distance_module_old_reduction(
    original: Function, self: TripletMarginWithDistanceLoss, size_average: bool | None = None, **options: Any
) -> None:
    """The module takes size_average, which is older than it."""
    original(self, **options)


@fault("TripletMarginWithDistanceLoss", at="torch.nn.TripletMarginWithDistanceLoss.__setstate__")
def triplet_distance_module_copied_without_swap(
    original: Function, self: TripletMarginWithDistanceLoss, state: Any
) -> None:
    """A copy of the module has forgotten to swap."""
    original(self, state)
    self.swap = False


@fault("TripletMarginWithDistanceLoss", at="torch.nn.TripletMarginWithDistanceLoss.__init__")
def triplet_distance_module_buffer(
    original: Function, self: TripletMarginWithDistanceLoss, **options: Any
) -> None:
    """The module keeps its margin in a buffer as well, and so in its state."""
    original(self, **options)
    self.register_buffer("threshold", torch.tensor(self.margin))


@fault("TripletMarginWithDistanceLoss", at="torch.nn.TripletMarginWithDistanceLoss.__init__")
def triplet_distance_module_is_plain(original: Function, self: Module, **options: Any) -> None:
    """The module does not derive from the class of the losses."""
    original(self, **options)
    self.__class__ = _PlainModule
