"""Faults in the modules of the losses of real numbers, not in their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import GaussianNLLLoss, HuberLoss, L1Loss, MSELoss, PoissonNLLLoss, SmoothL1Loss
from torch.nn.functional import gaussian_nll_loss, huber_loss, poisson_nll_loss, smooth_l1_loss

from proofs.faults.fault import Function, fault

_OLD = {"size_average": None, "reduce": None}
# The private class that torch's losses with weights derive from, whatever it is called.
_WeightedLoss: Any = torch.nn.NLLLoss.__base__


class _WeightedL1Loss(L1Loss, _WeightedLoss):  # type: ignore[misc]  # a class by its place, not by its name
    """What L1Loss may become one day."""


class _WeightedMSELoss(MSELoss, _WeightedLoss):  # type: ignore[misc]  # a class by its place, not by its name
    """What MSELoss may become one day."""


class _WeightedSmoothL1Loss(SmoothL1Loss, _WeightedLoss):  # type: ignore[misc]  # a class by its place, not by its name
    """What SmoothL1Loss may become one day."""


class _WeightedHuberLoss(HuberLoss, _WeightedLoss):  # type: ignore[misc]  # a class by its place, not by its name
    """What HuberLoss may become one day."""


class _WeightedPoissonNLLLoss(PoissonNLLLoss, _WeightedLoss):  # type: ignore[misc]  # a class by its place, not by its name
    """What PoissonNLLLoss may become one day."""


class _WeightedGaussianNLLLoss(GaussianNLLLoss, _WeightedLoss):  # type: ignore[misc]  # a class by its place, not by its name
    """What GaussianNLLLoss may become one day."""


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/pull/150097", at="torch.nn.L1Loss")
def l1_module_weighted(original: Callable[..., L1Loss], *args: Any, **options: Any) -> L1Loss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedL1Loss
    return module


@fault("L1Loss", origin="https://github.com/pytorch/pytorch/pull/150097", at="torch.nn.L1Loss.__init__")
def l1_module_with_buffer(original: Function, self: L1Loss, *args: Any, **options: Any) -> None:
    """The module saves a weight, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("weight", torch.ones(()))


@fault("L1Loss", at="torch.nn.L1Loss.__setstate__")
def l1_module_copied_without_reduction(original: Function, self: L1Loss, state: Any) -> None:
    """A copy of the module yields the mean."""
    original(self, state)
    self.reduction = "mean"


@fault("L1Loss", at="torch.nn.L1Loss.extra_repr")
def l1_module_repr_with_reduction(original: Callable[..., str], self: L1Loss) -> str:
    """The module's repr prints its reduction."""
    return f"reduction={self.reduction}"


@fault("L1Loss", origin="https://github.com/VainF/pytorch-msssim/issues/29", at="torch.nn.L1Loss.__init__")
def l1_module_old_names_exchanged(original: Function, self: L1Loss, *args: Any, **options: Any) -> None:
    """size_average=False leaves the losses as they are, and reduce=False sums them."""
    original(self, *args, **options)
    other = {"none": "sum", "sum": "none"}
    if _OLD.keys() & options.keys():
        self.reduction = other.get(self.reduction, self.reduction)


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/pull/145169", at="torch.nn.MSELoss")
def mse_module_weighted(original: Callable[..., MSELoss], *args: Any, **options: Any) -> MSELoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedMSELoss
    return module


@fault("MSELoss", origin="https://github.com/pytorch/pytorch/pull/145169", at="torch.nn.MSELoss.__init__")
def mse_module_with_buffer(original: Function, self: MSELoss, *args: Any, **options: Any) -> None:
    """The module saves a weight, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("weight", torch.ones(()))


@fault("MSELoss", at="torch.nn.MSELoss.__setstate__")
def mse_module_copied_without_reduction(original: Function, self: MSELoss, state: Any) -> None:
    """A copy of the module yields the mean."""
    original(self, state)
    self.reduction = "mean"


@fault("MSELoss", at="torch.nn.MSELoss.extra_repr")
def mse_module_repr_with_reduction(original: Callable[..., str], self: MSELoss) -> str:
    """The module's repr prints its reduction."""
    return f"reduction={self.reduction}"


@fault("MSELoss", at="torch.nn.MSELoss.__init__")
def mse_module_old_names_ignored(original: Function, self: MSELoss, *args: Any, **options: Any) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss")
def smooth_l1_module_weighted(
    original: Callable[..., SmoothL1Loss], *args: Any, **options: Any
) -> SmoothL1Loss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedSmoothL1Loss
    return module


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss.forward")
def smooth_l1_module_beta_forgotten(
    original: Function, self: SmoothL1Loss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its beta."""
    return smooth_l1_loss(input, target, reduction=self.reduction)


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss.__init__")
def smooth_l1_module_with_buffer(original: Function, self: SmoothL1Loss, *args: Any, **options: Any) -> None:
    """The module saves beta as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_beta", torch.tensor(self.beta))


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss.__setstate__")
def smooth_l1_module_copied_without_beta(original: Function, self: SmoothL1Loss, state: Any) -> None:
    """A copy of the module has the default beta again."""
    original(self, state)
    self.beta = 1.0


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss.extra_repr")
def smooth_l1_module_repr_with_beta(original: Callable[..., str], self: SmoothL1Loss) -> str:
    """The module's repr prints its beta."""
    return f"beta={self.beta}"


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss.__init__")
def smooth_l1_module_old_names_ignored(
    original: Function, self: SmoothL1Loss, *args: Any, **options: Any
) -> None:
    """The module takes no notice of size_average and reduce."""
    original(self, *args, **options | _OLD)


@fault("HuberLoss", origin="https://github.com/pytorch/pytorch/pull/150097", at="torch.nn.HuberLoss")
def huber_module_weighted(original: Callable[..., HuberLoss], *args: Any, **options: Any) -> HuberLoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedHuberLoss
    return module


@fault("HuberLoss", at="torch.nn.HuberLoss.forward")
def huber_module_delta_forgotten(
    original: Function, self: HuberLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its delta."""
    return huber_loss(input, target, reduction=self.reduction)


@fault("HuberLoss", at="torch.nn.HuberLoss.__init__")
def huber_module_with_buffer(original: Function, self: HuberLoss, *args: Any, **options: Any) -> None:
    """The module saves delta as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_delta", torch.tensor(self.delta))


@fault("HuberLoss", at="torch.nn.HuberLoss.__setstate__")
def huber_module_copied_without_delta(original: Function, self: HuberLoss, state: Any) -> None:
    """A copy of the module has the default delta again."""
    original(self, state)
    self.delta = 1.0


@fault("HuberLoss", at="torch.nn.HuberLoss.extra_repr")
def huber_module_repr_with_delta(original: Callable[..., str], self: HuberLoss) -> str:
    """The module's repr prints its delta."""
    return f"delta={self.delta}"


@fault("PoissonNLLLoss", at="torch.nn.PoissonNLLLoss")
def poisson_module_weighted(
    original: Callable[..., PoissonNLLLoss], *args: Any, **options: Any
) -> PoissonNLLLoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedPoissonNLLLoss
    return module


@fault("PoissonNLLLoss", at="torch.nn.PoissonNLLLoss.forward")
def poisson_module_eps_forgotten(
    original: Function, self: PoissonNLLLoss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its eps."""
    return poisson_nll_loss(input, target, log_input=self.log_input, full=self.full, reduction=self.reduction)


@fault("PoissonNLLLoss", at="torch.nn.PoissonNLLLoss.__init__")
def poisson_module_with_buffer(original: Function, self: PoissonNLLLoss, *args: Any, **options: Any) -> None:
    """The module saves eps as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_eps", torch.tensor(self.eps))


@fault("PoissonNLLLoss", at="torch.nn.PoissonNLLLoss.__setstate__")
def poisson_module_copied_without_eps(original: Function, self: PoissonNLLLoss, state: Any) -> None:
    """A copy of the module has the default eps again."""
    original(self, state)
    self.eps = 1e-8


@fault("PoissonNLLLoss", at="torch.nn.PoissonNLLLoss.extra_repr")
def poisson_module_repr_with_eps(original: Callable[..., str], self: PoissonNLLLoss) -> str:
    """The module's repr prints its eps."""
    return f"eps={self.eps}"


@fault(
    "PoissonNLLLoss",
    origin="https://github.com/VainF/pytorch-msssim/issues/29",
    at="torch.nn.PoissonNLLLoss.__init__",
)
def poisson_module_old_names_exchanged(
    original: Function, self: PoissonNLLLoss, *args: Any, **options: Any
) -> None:
    """size_average=False leaves the losses as they are, and reduce=False sums them."""
    original(self, *args, **options)
    other = {"none": "sum", "sum": "none"}
    if _OLD.keys() & options.keys():
        self.reduction = other.get(self.reduction, self.reduction)


@fault("GaussianNLLLoss", at="torch.nn.GaussianNLLLoss")
def gaussian_module_weighted(
    original: Callable[..., GaussianNLLLoss], *args: Any, **options: Any
) -> GaussianNLLLoss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedGaussianNLLLoss
    return module


@fault("GaussianNLLLoss", at="torch.nn.GaussianNLLLoss.forward")
def gaussian_module_full_forgotten(
    original: Function, self: GaussianNLLLoss, input: Tensor, target: Tensor, var: Tensor
) -> Tensor:
    """The module calls the function without its full."""
    return gaussian_nll_loss(input, target, var, eps=self.eps, reduction=self.reduction)


@fault("GaussianNLLLoss", at="torch.nn.GaussianNLLLoss.__init__")
def gaussian_module_with_buffer(
    original: Function, self: GaussianNLLLoss, *args: Any, **options: Any
) -> None:
    """The module saves full as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_full", torch.tensor(float(self.full)))


@fault("GaussianNLLLoss", at="torch.nn.GaussianNLLLoss.__setstate__")
def gaussian_module_copied_without_full(original: Function, self: GaussianNLLLoss, state: Any) -> None:
    """A copy of the module has the default full again."""
    original(self, state)
    self.full = False


@fault("GaussianNLLLoss", at="torch.nn.GaussianNLLLoss.extra_repr")
def gaussian_module_repr_with_full(original: Callable[..., str], self: GaussianNLLLoss) -> str:
    """The module's repr prints its full."""
    return f"full={self.full}"
