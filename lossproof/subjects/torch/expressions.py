"""Expressions of torch's operations that stand in for losses that documents define and torch lacks.

They are not torch's own: an error is one of the expression, so that they form a subject of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.reference.catalogue import LOSSES

EXPRESSIONS_SUBJECT = "torch-expressions"

# By loss, with its parameters in braces.
EXPRESSIONS: Mapping[str, str] = {
    "SelfInformation": "-torch.log(p)",
    "Entropy": "torch.special.entr(p).sum(-1)",
    "DistributionCrossEntropy": "-torch.special.xlogy(p, q).sum(-1)",
    "Objective": "losses.mean() + ({l1} * parameters.abs().sum() + {l2} * parameters.square().sum())",
}


def expression_of(loss: str, params: Mapping[str, object] | None = None) -> str:
    """The expression for a loss, with the names of its parameters, or with the values of a call's."""
    options = LOSSES[loss].typed_parameters
    texts = {
        name: name if params is None else params.get(name, option.default) for name, option in options.items()
    }
    return EXPRESSIONS[loss].format(**texts)
