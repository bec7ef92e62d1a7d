"""What documents define and torch has no loss for: expressions of its operations that stand in for it.

They are not torch's own: what is wrong with one of them is wrong with the expression, and a subject of its
own is asked for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from lossproof.reference.catalogue import LOSSES

EXPRESSIONS_SUBJECT = "torch-expressions"

# By the loss; parameters stand in braces.
EXPRESSIONS: Mapping[str, str] = {
    "SelfInformation": "-torch.log(p)",
    "Entropy": "torch.special.entr(p).sum(-1)",
    "DistributionCrossEntropy": "-torch.special.xlogy(p, q).sum(-1)",
    "Objective": "losses.mean() + ({l1} * parameters.abs().sum() + {l2} * parameters.square().sum())",
}


def expression_of(loss: str, params: Mapping[str, object] | None = None) -> str:
    """The expression that stands in for a loss, its parameters by name or, given a call's, by value."""
    options = LOSSES[loss].typed_parameters
    shown = {
        name: name if params is None else params.get(name, option.default) for name, option in options.items()
    }
    return EXPRESSIONS[loss].format(**shown)
