"""Faults that a compiler need not follow."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from proofs.faults.fault import Function


def uncompiled(replacement: Function) -> Function:
    """The replacement, except under a compiler, which cannot follow how it takes a call apart."""

    @functools.wraps(replacement)
    def guarded(original: Function, *args: Any, **options: Any) -> Tensor:
        if torch.compiler.is_compiling():
            return original(*args, **options)
        return replacement(original, *args, **options)

    return guarded
