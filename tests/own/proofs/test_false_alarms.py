"""An unmodified torch raises no alarm; a slightly wrong one does."""

from __future__ import annotations

import pytest
import torch

from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.registry import find_subject
from lossproof.subjects.torch.expressions import EXPRESSIONS
from proofs.false_alarms.__main__ import main
from proofs.false_alarms.sweep import BUILDERS, sweep


def test_every_loss_of_torch_is_called_at_random() -> None:
    # The alias of NLLLoss has its code.
    assert set(LOSSES) - set(EXPRESSIONS) - {"NLLLoss2d"} == set(BUILDERS)


def test_random_calls_of_torch_raise_no_alarm() -> None:
    tally = sweep(find_subject("torch.nn.functional"), checks=3000, seed=20_000_000)
    assert tally.checks >= 3000
    assert tally.outputs > 10 * tally.checks
    assert tally.alarms == []


def test_a_wrong_loss_raises_alarms(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = torch.nn.functional.kl_div
    monkeypatch.setattr(
        torch.nn.functional, "kl_div", lambda *args, **kwargs: right(*args, **kwargs) * (1 + 1e-5)
    )
    assert main(["--checks", "1000", "--seed", "1"]) == 1
    assert "KLDivLoss" in capsys.readouterr().out
