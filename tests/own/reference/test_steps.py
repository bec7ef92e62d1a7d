"""The steps of an evaluation are recorded by name, where somebody records them."""

from __future__ import annotations

import numpy as np
import pytest
from loss_arguments import LOGITS, LOGS, call

from lossproof.reference.catalogue import LOSSES
from lossproof.reference.evaluation import forward
from lossproof.reference.refusals import IndexRefusal
from lossproof.reference.steps import recording

pytestmark = pytest.mark.filterwarnings("ignore:reduction='mean':UserWarning", "ignore:NLLLoss2d")


def test_steps_are_recorded_by_name_in_order() -> None:
    with recording() as steps:
        value = call("CrossEntropyLoss", weight=[1.0, 2.0, 0.5])
    assert [name for name, _ in steps] == [
        "logits - max",
        "sum of exponentials",
        "log-softmax",
        "weights",
        "picked",
        "-w log p",
        "losses",
        "sum",
        "mean",
    ]
    recorded = dict(steps)
    np.testing.assert_array_equal(recorded["logits - max"], np.array(LOGITS) - [[2.0], [0.5]])
    np.testing.assert_array_equal(recorded["weights"], [1.0, 0.5])
    np.testing.assert_array_equal(recorded["mean"], value)


def test_nothing_is_recorded_outside_and_the_inner_recording_ends() -> None:
    with recording() as outer:
        call("BCELoss", reduction="none")
        with recording() as inner:
            call("Entropy")
        call("SelfInformation")
    call("Entropy")
    assert [name for name, _ in outer] == ["log p", "log (1 - p)", "losses", "self-information"]
    assert [name for name, _ in inner] == ["-p log p", "entropy"]


def test_a_recording_ends_with_an_error() -> None:
    with pytest.raises(IndexRefusal), recording() as steps:
        forward("NLLLoss", {}, {"input": LOGS, "target": [0, 9]})
    call("Entropy")
    assert steps == []


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_names_its_steps_and_ends_with_the_result(loss: str) -> None:
    with recording() as steps:
        value = call(loss)
    assert steps
    np.testing.assert_array_equal(steps[-1][1], value)
