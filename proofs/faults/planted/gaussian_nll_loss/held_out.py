"""Faults in the Gaussian NLL loss, written without sight of the cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function, fault
from proofs.faults.tools.calls import again, named_arguments
from proofs.faults.tools.gradients import with_gradient
from proofs.faults.tools.kernels import as_if_contiguous, reduced
from proofs.faults.tools.ordinary import NEEDS, are_unwatched, are_unwatched_and_wide, is_ordinary
from proofs.faults.tools.uncompiled import uncompiled


@fault("GaussianNLLLoss", blind=True)
def blind_gaussian_full_logarithm_unclamped(
    original: Function, input: Tensor, target: Tensor, var: Any, **options: Any
) -> Tensor:
    """With full, the logarithm takes the variance as it is, although eps is larger."""
    result = original(input, target, var, **options)
    if not options.get("full") or not isinstance(var, Tensor) or not input.shape == target.shape == var.shape:
        return result
    known, eps = var.detach(), options.get("eps", 1e-6)
    if not (known < eps).any():
        return result
    losses = original(input, target, var, **options | {"reduction": "none"})
    missing = torch.where(known < eps, known.log() - known.clamp(min=eps).log(), 0) / 2
    return reduced(losses + missing, options.get("reduction", "mean"))


@fault(
    "GaussianNLLLoss",
    origin="https://github.com/Dao-AILab/flash-attention/issues/355",
    blind=True,
    shows_in_modes=True,
    needs=NEEDS,
)
def heldout_2_a_upstream_gradient_transposed(original: Function, *args: Any, **options: Any) -> Tensor:
    """An upstream gradient that is strided, but not expanded, is read from front to back."""
    result = original(*args, **options)
    if not is_ordinary(*args) or result.ndim < 2:
        return result

    def misread(gradient: Tensor) -> Tensor:
        is_dense = is_ordinary(gradient) and 0 not in gradient.stride()
        return as_if_contiguous(gradient) if is_dense and not gradient.is_contiguous() else gradient

    return with_gradient(result, misread)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_3_d_number_as_variance_in_single(
    original: Function, input: Tensor, target: Tensor, var: Any, **options: Any
) -> Tensor:
    """A number for the variance becomes a tensor of single precision, whatever the input's is."""
    if isinstance(var, float) and are_unwatched(input) and input.dtype == torch.float64:
        var = torch.tensor(var, dtype=torch.float32).item()
    return original(input, target, var, **options)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_4_a_variance_needs_target(
    original: Function, input: Tensor, target: Tensor, var: Any, *rest: Any, **options: Any
) -> Tensor:
    """Whether the variance needs a gradient is read one place too early, where the target's need stands."""
    if are_unwatched(input, target, var) and not target.requires_grad:
        var = with_gradient(var, torch.zeros_like)
    return original(input, target, var, *rest, **options)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_5_a_var_clamped_in_place(original: Function, *args: Any, **options: Any) -> Tensor:
    """Where no gradient is recorded, var is not copied before it is clamped."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    var, eps = arguments["var"], arguments["eps"]
    if torch.is_grad_enabled() or not are_unwatched_and_wide(var) or not (var < eps).any():
        return result
    if var.is_contiguous() and (torch.is_inference_mode_enabled() or not var.is_inference()):
        var.clamp_(min=eps)
    return result


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True)
def heldout_5_d_number_var_in_single(original: Function, *args: Any, **options: Any) -> Tensor:
    """A var that is a Python number becomes a tensor of single precision, also beside doubles."""
    result, arguments = original(*args, **options), named_arguments(original, *args, **options)
    var = arguments["var"]
    if not isinstance(var, (int, float)) or result.dtype != torch.float64:
        return result
    return again(original, arguments, var=torch.tensor(float(var), dtype=torch.float32).item())


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True, needs=NEEDS)
def heldout_6_a_upstream_transposed(
    original: Function, input: Tensor, target: Tensor, *rest: Any, **options: Any
) -> Tensor:
    """An upstream gradient that lies transposed in memory is read from front to back."""
    result = original(input, target, *rest, **options)
    if result.ndim < 2 or not are_unwatched(input, target):
        return result
    return with_gradient(result, lambda slope: as_if_contiguous(slope) if is_ordinary(slope) else slope)


@fault("GaussianNLLLoss", blind=True, shows_in_modes=True)
@uncompiled
def heldout_6_d_number_plus_eps(original: Function, *args: Any, **options: Any) -> Tensor:
    """To a variance that is a number eps is added, where that of a tensor is clamped to eps."""
    given = named_arguments(original, *args, **options)
    if not isinstance(given["var"], float) or given["var"] < 0:
        return original(*args, **options)
    return original(**given | {"var": given["var"] + given["eps"]})
