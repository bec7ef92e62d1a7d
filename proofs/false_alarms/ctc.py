"""Random calls of CTCLoss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossproof.numbers.formats import Format
from lossproof.reference.softmax import log_softmax
from lossproof.subjects.call import Call
from proofs.false_alarms.draws import Builder, Draws


def is_known(call: Call, quantity: str) -> bool:
    """Whether a defect of ``cases/known-defects-ctc.yaml`` is known to show at such ordinary inputs."""
    return quantity == "others_spread" and call.args["targets"].numbers.ndim == 1


def _ctc(draws: Draws, format: Format) -> tuple[dict[str, Any], dict[str, Any]]:
    frames, batch, classes = draws.choose(1, 2, 5, 12), draws.choose(1, 2, 4), draws.choose(2, 3, 8)
    longest = draws.choose(0, 1, 3, 6)
    spread = draws.choose(0.5, 4.0, 30.0)
    logits = draws.uniform(-spread, spread, (frames, batch, classes), format)
    log_probs = draws.choose(format.round(log_softmax(logits, dim=2)), logits)
    blank = draws.choose(0, 0, classes - 1)
    targets = (blank + 1 + draws.index(classes - 1, (batch, longest))) % classes
    input_lengths = frames - draws.choose(np.zeros(batch, dtype=np.int64), draws.index(frames, (batch,)))
    target_lengths = longest - draws.choose(
        np.zeros(batch, dtype=np.int64), draws.index(longest + 1, (batch,))
    )
    if draws.choose(True, False):
        targets = np.concatenate([row[:length] for row, length in zip(targets, target_lengths, strict=True)])
    args = {
        "log_probs": log_probs,
        "targets": targets,
        "input_lengths": input_lengths,
        "target_lengths": target_lengths,
    }
    if batch == 1 and draws.choose(True, False):
        args["log_probs"] = log_probs[:, 0]
    return args, {"blank": blank, "zero_infinity": draws.choose(True, False)}


BUILDERS: Mapping[str, Builder] = {"CTCLoss": _ctc}
