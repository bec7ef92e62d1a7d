"""The catalogues of losses and of planted faults: nothing is lost, and everything stands where it belongs."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from lossproof.reference.catalogue import LOSSES, by_name
from proofs.faults import planted
from proofs.faults.catalogue import FAULTS, by_id
from proofs.faults.fault import Fault
from proofs.faults.mistake import Mistake, Site, faults

_MODULES = [
    import_module(module.name)
    for module in pkgutil.walk_packages(planted.__path__, f"{planted.__name__}.")
    if not module.ispkg
]


def doubled_losses() -> Mistake:
    @faults(Site("l1-doubled", "L1Loss", origin="https://example.org/1"), mistake="Twice the distance.")
    @faults(
        Site("mse-doubled", "MSELoss", blind=True), Site("huber-doubled", "HuberLoss"), shows_in_modes=True
    )
    @faults(Site("mse-module-doubled", "MSELoss"), method="forward", origin="https://example.org/2")
    def doubled(original: Any, *args: Any, **options: Any) -> Tensor:
        """The loss is doubled."""
        result: Tensor = 2 * original(*args, **options)
        return result

    return doubled


def test_two_faults_of_one_id_are_a_mistake() -> None:
    fault = FAULTS["l1-target-detached"]
    with pytest.raises(ValueError, match=r"^two planted faults are called l1-target-detached$"):
        by_id([fault, replace(fault, loss="MSELoss")])


def test_the_order_of_faults_is_that_of_their_ids() -> None:
    assert list(FAULTS) == sorted(FAULTS)
    assert list(by_id(list(FAULTS.values())[::-1])) == list(FAULTS)


def test_two_losses_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"^two losses are called L1Loss$"):
        by_name([*LOSSES.values(), replace(LOSSES["MSELoss"], name="L1Loss")])


def test_a_loss_has_its_faults_in_a_file_or_folder_of_its_name() -> None:
    root = Path(planted.__path__[0])
    misplaced = [
        (fault.id, module.__name__)
        for module in _MODULES
        for fault in vars(module).values()
        if isinstance(fault, Fault) and _place(root, module.__file__) != fault.loss.lower()
    ]
    assert misplaced == []


def _place(root: Path, file: str | None) -> str:
    return Path(file or "").relative_to(root).with_suffix("").parts[0].replace("_", "")


def test_a_shared_mistake_is_planted_more_than_once_and_in_the_folder_of_those() -> None:
    mistakes = {
        (module.__name__, name): value
        for module in _MODULES
        for name, value in vars(module).items()
        if isinstance(value, Mistake)
    }
    assert {name.split(".")[3] for name, _ in mistakes} == {"shared"}
    assert [name for name, mistake in mistakes.items() if len(mistake.faults) < 2] == []


def test_no_file_of_the_catalogue_is_too_long_to_read() -> None:
    lengths = {
        file.name: len(file.read_text().splitlines()) for file in Path(planted.__path__[0]).rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_a_shared_mistake_makes_a_fault_of_each_row() -> None:
    mistake = doubled_losses()
    rows = [
        (fault.id, fault.loss, fault.mistake, fault.origin, fault.target.rpartition("torch.nn.")[2])
        for fault in mistake.faults
    ]
    assert rows == [
        ("l1-doubled", "L1Loss", "Twice the distance.", "https://example.org/1", "functional.l1_loss"),
        ("mse-doubled", "MSELoss", "The loss is doubled.", "", "functional.mse_loss"),
        ("huber-doubled", "HuberLoss", "The loss is doubled.", "", "functional.huber_loss"),
        (
            "mse-module-doubled",
            "MSELoss",
            "The loss is doubled.",
            "https://example.org/2",
            "MSELoss.forward",
        ),
    ]
    assert [fault.id for fault in mistake.faults if fault.blind] == ["mse-doubled"]
    assert [fault.id for fault in mistake.faults if fault.shows_in_modes] == ["mse-doubled", "huber-doubled"]
    assert {fault.replacement for fault in mistake.faults} == {mistake.replacement}
