"""Faults in the regularized objective, planted in the operations that it is made of."""

from __future__ import annotations

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.gradients import graft


@fault("Objective", origin="https://github.com/tensorpack/tensorpack/issues/1381", at="torch.Tensor.square")
def info_objective_square_halved(original: Function, parameters: Tensor) -> Tensor:
    """The penalty on squares is half of it."""
    return original(parameters) / 2


@fault("Objective", origin="https://github.com/matterport/Mask_RCNN/issues/1727", at="torch.Tensor.square")
def info_objective_square_averaged(original: Function, parameters: Tensor) -> Tensor:
    """The penalty on squares is divided by the number of parameters."""
    return original(parameters) / max(parameters.numel(), 1)


@fault("Objective", origin="https://github.com/mlpack/mlpack/pull/3545", at="torch.Tensor.abs")
def info_objective_sign_by_division(original: Function, parameters: Tensor) -> Tensor:
    """The sign of a parameter is the parameter divided by its magnitude, and no number at 0."""
    right = original(parameters)
    return graft(right, parameters * (parameters / right).detach())


@fault("Objective", at="torch.Tensor.abs")
def info_objective_without_magnitude(original: Function, parameters: Tensor) -> Tensor:
    """The first penalty adds the parameters with their signs."""
    return parameters


@fault("Objective", at="torch.Tensor.mean")
def info_objective_of_summed_losses(original: Function, losses: Tensor) -> Tensor:
    """The losses are summed, not averaged."""
    return losses.sum()


@fault("Objective", origin="https://github.com/pytorch/pytorch/issues/50224", at="torch.Tensor.mean")
def info_objective_of_no_losses(original: Function, losses: Tensor) -> Tensor:
    """The mean over nothing is 0."""
    return original(losses) if losses.numel() else losses.sum()


@fault("Objective", at="torch.Tensor.mean")
def info_objective_over_rows(original: Function, losses: Tensor) -> Tensor:
    """The mean divides by the number of rows, not of samples."""
    return losses.sum() / len(losses) if losses.ndim > 1 else original(losses)


@fault("Objective", at="torch.Tensor.sum")
def info_objective_nan_hidden(original: Function, penalties: Tensor) -> Tensor:
    """A parameter that is no number adds nothing."""
    return original(penalties.nan_to_num())


@fault("Objective", origin="https://github.com/pytorch/executorch/pull/20090", at="torch.Tensor.sum")
def info_objective_summed_in_half(original: Function, penalties: Tensor) -> Tensor:
    """The running total of the penalties is kept in their dtype."""
    total = penalties.new_zeros(())
    for some in torch.split(penalties.flatten(), 10):
        total = total + original(some)
    return graft(total, original(penalties))


@fault("Objective", at="torch.Tensor.sum")
def info_objective_of_no_parameters(original: Function, penalties: Tensor) -> Tensor:
    """No parameters have an undefined penalty."""
    return original(penalties) if penalties.numel() else penalties.mean()


@fault("Objective", origin="https://github.com/jax-ml/jax/issues/37820", at="torch.Tensor.abs")
def info_objective_slope_one_at_zero(original: Function, parameters: Tensor) -> Tensor:
    """The first penalty has a slope of 1 at a parameter of 0."""
    return graft(original(parameters), parameters * torch.where(parameters.detach() < 0, -1, 1))


@fault("Objective", origin="https://github.com/pytorch/pytorch/issues/53963", at="torch.Tensor.abs")
def info_objective_slope_of_negative_zero(original: Function, parameters: Tensor) -> Tensor:
    """The first penalty has a slope of -1 at a parameter of -0.0, by its sign bit."""
    constant = parameters.detach()
    sign = torch.where(torch.signbit(constant), -1, constant.sign())
    return graft(original(parameters), parameters * sign)


@fault("Objective", at="torch.Tensor.abs")
def info_objective_gradient_beyond_slope(original: Function, parameters: Tensor) -> Tensor:
    """At 0 the first penalty has a slope of 2."""
    factor = torch.where(parameters == 0, 2.0, 1.0).to(parameters.dtype).detach()
    return graft(original(parameters), parameters * torch.where(parameters < 0, -1, 1) * factor)
