"""Faults in the smooth L1 loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import SmoothL1Loss
from torch.nn.functional import smooth_l1_loss

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import gradient_of, graft, with_gradient
from proofs.faults.tools.kernels import is_plain_mean, reduced
from proofs.faults.tools.kinks import at_equal, between_branches
from proofs.faults.tools.modules import WeightedLossClass
from proofs.faults.tools.ordinary import NEEDS, are_real, are_unwatched, is_ordinary, reduction_of
from proofs.faults.tools.vectors import as_asked


@fault("SmoothL1Loss", origin="https://github.com/fastestimator/fastestimator/pull/330")
def smooth_l1_beta_ignored(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The parabola ends at 1, whatever beta is."""
    return original(input, target, **options | {"beta": 1.0 if options.get("beta") else 0.0})


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/pull/17447")
def smooth_l1_beta_only_divides_the_range(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beta moves the end of the parabola, but not its steepness nor the height of the lines."""
    value = original(input, target, **options)
    beta = options.get("beta", 1.0)
    if beta in (0, 1) or not is_plain_mean(options):
        return value
    distance = (input - target).abs()
    return torch.where(distance < beta, 0.5 * distance.square(), distance - 0.5).mean()


@fault("SmoothL1Loss")
def smooth_l1_is_huber(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The loss is not divided by beta: it is Huber's."""
    beta = options.get("beta", 1.0)
    return original(input, target, **options) * (beta if 0 < beta < float("inf") else 1.0)


@fault("SmoothL1Loss", origin="https://github.com/BobMcDear/attorch/issues/13")
def smooth_l1_signed_threshold(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The difference is compared with beta before its sign is removed."""
    value = original(input, target, **options)
    beta = options.get("beta", 1.0)
    if beta == 0 or not is_plain_mean(options):
        return value
    difference = input - target
    parabola = 0.5 * difference * (difference / beta)
    return torch.where(difference < beta, parabola, difference - 0.5 * beta).mean()


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/pull/45532")
def smooth_l1_negative_beta_is_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A negative beta counts as 0."""
    return original(input, target, **options | {"beta": max(options.get("beta", 1.0), 0.0)})


@fault("SmoothL1Loss")
def smooth_l1_beta_in_single(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """Beta is rounded to single precision, whatever the losses' own precision is."""
    return original(input, target, **options | {"beta": torch.tensor(options.get("beta", 1.0)).item()})


@fault("SmoothL1Loss")
def smooth_l1_infinity_times_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """The branch not taken is multiplied by 0, which makes nan of an infinite square."""
    value = original(input, target, **options)
    if options.get("reduction") != "none":
        return value
    unused = 0 * (input - target).detach().square()
    return graft(torch.where(unused.isnan(), torch.nan, value).detach(), value)


@fault("SmoothL1Loss")
def smooth_l1_whole_numbers_rounded(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """Beside whole numbers the other argument is cut to whole numbers, too."""
    value = original(input, target, **options)
    if input.is_floating_point() == target.is_floating_point():
        return value
    cut = original(input.detach().trunc(), target.detach().trunc(), **options)
    return graft(cut, value)


@fault("SmoothL1Loss", origin="https://github.com/open-mmlab/mmocr/pull/1616")
def smooth_l1_beta_zero_refused(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """A beta of 0 is refused."""
    if options.get("beta", 1.0) == 0:
        raise RuntimeError("beta must be positive")
    return original(input, target, **options)


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/96813", blind=True)
def blind_smooth_l1_beta_zero_gradient_nan(original: Function, *args: Any, **options: Any) -> Tensor:
    """With beta 0 the gradient of an element that equals its target is not a number."""
    right = original(*args, **options)
    given = named_arguments(original, *args, **options)
    if given["beta"] != 0:
        return right
    difference: Tensor = given["input"] - given["target"]
    slope = torch.where(difference.detach() == 0, math.nan, 0.0).to(difference.dtype)
    return right + gradient_of(reduced(difference * slope, given["reduction"]))


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/96813")
def smooth_l1_beta_zero_slope_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """With a beta of 0, the slope where input and target are equal is -1: 0 is not above -beta."""
    if options.get("beta", 1.0) != 0:
        return original(*args, **options)
    return at_equal(-1, original, *args, **options)


@fault("SmoothL1Loss", origin="https://github.com/jax-ml/jax/issues/347")
def smooth_l1_slope_nan_at_tie(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """Where input and target are equal the gradient is nan, by the root in the branch that is not taken."""
    if options.get("beta", 1.0) == 0:
        return original(*args, **options)
    return at_equal(math.nan, original, *args, **options)


@fault("SmoothL1Loss")
def smooth_l1_no_slope_at_beta(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A difference of exactly beta belongs to no branch of the gradient."""
    return between_branches(options.get("beta", 1.0), 1.0, original, *args, **options)


@fault("SmoothL1Loss")
def smooth_l1_slope_without_beta(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The parabola's gradient is not divided by beta."""
    value = original(input, target, **options)
    if not options.get("beta", 1.0) or not is_plain_mean(options):
        return value
    difference = input - target
    distance, beta = difference.detach().abs(), options.get("beta", 1.0)
    slope = torch.where(distance < beta, difference.detach(), difference.detach().sign())
    return graft(value, (slope * difference).mean())


@fault("SmoothL1Loss", origin="https://github.com/pytorch/pytorch/issues/96813")
def smooth_l1_divided_by_beta_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """With a beta of 0 the gradient at a difference of 0 is 0 / 0."""
    is_equal = input == target
    if options.get("beta", 1.0) != 0 or input.shape != target.shape:
        return original(input, target, **options)
    return original(
        with_gradient(input, lambda slope: torch.where(is_equal, torch.nan, slope)), target, **options
    )


class _WeightedSmoothL1Loss(SmoothL1Loss, WeightedLossClass):  # type: ignore[misc]  # a class by its place, not by its name
    """What SmoothL1Loss may become one day."""


@fault("SmoothL1Loss", at="torch.nn.SmoothL1Loss")
def smooth_l1_module_weighted(
    original: Callable[..., SmoothL1Loss], *args: Any, **options: Any
) -> SmoothL1Loss:
    """The module becomes a weighted loss."""
    module = original(*args, **options)
    module.__class__ = _WeightedSmoothL1Loss
    return module


@fault("SmoothL1Loss", method="forward")
def smooth_l1_module_beta_forgotten(
    original: Function, self: SmoothL1Loss, input: Tensor, target: Tensor
) -> Tensor:
    """The module calls the function without its beta."""
    return smooth_l1_loss(input, target, reduction=self.reduction)


@fault("SmoothL1Loss", method="__init__")
def smooth_l1_module_with_buffer(original: Function, self: SmoothL1Loss, *args: Any, **options: Any) -> None:
    """The module saves beta as a buffer, so that states saved before no longer load."""
    original(self, *args, **options)
    self.register_buffer("saved_beta", torch.tensor(self.beta))


@fault("SmoothL1Loss", method="__setstate__")
def smooth_l1_module_copied_without_beta(original: Function, self: SmoothL1Loss, state: Any) -> None:
    """A copy of the module has the default beta again."""
    original(self, state)
    self.beta = 1.0


@fault("SmoothL1Loss", method="extra_repr")
def smooth_l1_module_repr_with_beta(original: Callable[..., str], self: SmoothL1Loss) -> str:
    """The module's repr prints its beta."""
    return f"beta={self.beta}"


@fault("SmoothL1Loss", blind=True)
def smooth_l1_small_beta_is_zero(original: Function, *args: Tensor, **options: Any) -> Tensor:
    """A beta below 1e-5 is taken for 0, against a division that overflows."""
    if 0 < options.get("beta", 1.0) < 1e-5:
        options["beta"] = 0.0
    return original(*args, **options)


@fault("SmoothL1Loss", blind=True)
def smooth_l1_whole_beta_halved_downwards(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A beta that is a whole number is halved as one, so that the lines of an odd one lie too high."""
    result = original(input, target, **options)
    beta = options.get("beta", 1.0)
    if not isinstance(beta, int) or beta % 2 == 0:
        return result
    is_line = (input - target).detach().abs() > beta
    return result + as_asked(torch.where(is_line, 0.5, 0.0).to(result.dtype), options)


@fault("SmoothL1Loss", blind=True, shows_in_modes=True, needs=NEEDS)
def blind_smooth_l1_target_alone_has_inputs_sign(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """If only the target needs a gradient, it gets the one of the input."""
    if is_ordinary(input, target) and target.requires_grad and not input.requires_grad:
        target = with_gradient(target, torch.neg)
    return original(input, target, **options)


@fault("SmoothL1Loss", blind=True, needs=NEEDS)
def heldout_2_d_no_gradient_of_zero_upstream(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where the upstream gradient is 0, so is the input's, even if the target is nan."""
    arguments = named_arguments(original, *args, **options)
    input, target = arguments["input"], arguments["target"]
    if not are_real(input, target) or input.shape != target.shape or not target.isnan().any():
        return original(*args, **options)
    skipped: list[Tensor] = []

    def noted(gradient: Tensor) -> Tensor:
        skipped[:] = [gradient.detach() == 0]
        return gradient

    def cleared(gradient: Tensor) -> Tensor:
        return torch.where(skipped[0], 0, gradient)

    arguments["input"] = with_gradient(input, cleared)
    return with_gradient(original(**arguments), noted)


@fault("SmoothL1Loss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_a_grad_overwritten(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The backward pass writes over what the input's grad already holds, instead of adding to it."""
    if not are_unwatched(input, target) or not (input.is_leaf and input.requires_grad):
        return original(input, target, **options)

    def written_over(gradient: Tensor) -> Tensor:
        return gradient if input.grad is None else gradient - input.grad.detach()

    return original(with_gradient(input, written_over), target, **options)


@fault("SmoothL1Loss", blind=True)
def heldout_3_d_small_beta_as_zero(
    original: Function, input: Tensor, target: Tensor, **options: Any
) -> Tensor:
    """A beta below 1e-5 counts as 0, so that there is no parabola."""
    beta = options.get("beta")
    is_small = isinstance(beta, (int, float)) and 0 < beta < 1e-5
    return original(input, target, **options | {"beta": 0.0} if is_small else options)


@fault("SmoothL1Loss", blind=True, needs=NEEDS)
def heldout_4_d_mean_of_larger(original: Function, input: Tensor, target: Tensor, **options: Any) -> Tensor:
    """The mean divides by the elements of the larger tensor, though a column and a row make more losses."""
    result = original(input, target, **options)
    if not are_unwatched(input, target) or reduction_of(options) != "mean" or not result.is_floating_point():
        return result
    losses = again(original, named_arguments(original, input, target, **options), reduction="none").numel()
    larger = max(input.numel(), target.numel())
    return result * (losses / larger) if losses > larger else result
