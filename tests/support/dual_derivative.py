"""The derivative of a call by dual numbers over balls, which use no gradient code."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossproof.numbers.ball import Ball, certified
from lossproof.numbers.base import Array
from lossproof.numbers.dual import Dual
from lossproof.reference.evaluation import PreparedCall


def dual_derivative(call: PreparedCall, name: str, place: tuple[int, ...], upstream: Array) -> Ball:
    """The derivative of sum(upstream * output) with respect to one number of an argument or parameter."""

    def lift(values: Any) -> Dual:
        real = Ball.exact(values)
        direction = np.zeros(real.shape)
        if values is moved:
            direction[place] = 1.0
        return Dual(real, Ball.exact(direction))

    def compute() -> Ball:
        weighted: Ball = np.sum(call.value(lift) * Ball.exact(upstream)).tangent
        return weighted

    moved = call.arguments[name] if name in call.arguments else call.parameters[name]
    return certified(compute)
