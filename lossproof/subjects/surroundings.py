"""What a subject shares with everything else in its process, and must leave as it was."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


class Surroundings:
    """The state of the process as it is when this is made."""

    def __init__(self) -> None:
        self._probes = _probes()
        self._state = {name: probe() for name, probe in self._probes.items()}
        self._namespaces = {module: dict(vars(sys.modules[module])) for module in _modules()}

    def changes(self) -> list[str]:
        """What is no longer as it was, in words."""
        changed = [name for name, probe in self._probes.items() if probe() != self._state[name]]
        for module, before in self._namespaces.items():
            now = vars(sys.modules[module])
            # A name may come to be there: submodules are imported when they are first used.
            changed += [f"{module}.{name}" for name, value in before.items() if now.get(name) is not value]
        return changed


def _modules() -> list[str]:
    return [name for name in ("numpy", "torch.nn.functional", "torch.nn") if name in sys.modules]


def _numpy_random_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tobytes(), state["pos"]


def _probes() -> Mapping[str, Callable[[], Any]]:
    """For each thing that calls must not change, a function that tells how it is."""
    probes: dict[str, Callable[[], Any]] = {
        "the working folder": os.getcwd,
        "NumPy's handling of floating-point errors": np.geterr,
        "NumPy's global random state": _numpy_random_state,
        "Python's global random state": random.getstate,
    }
    if "torch" not in sys.modules:
        return probes
    import torch

    return probes | {
        "torch's default dtype": torch.get_default_dtype,
        "torch's default device": torch.get_default_device,
        "torch's number of threads": torch.get_num_threads,
        "torch's grad mode": torch.is_grad_enabled,
        "torch's inference mode": torch.is_inference_mode_enabled,
        "torch's autocast mode": torch.is_autocast_enabled,
        "torch's use of deterministic algorithms": torch.are_deterministic_algorithms_enabled,
        "torch's precision of matrix products": torch.get_float32_matmul_precision,
        # Its random state may change: modules draw their weights from it.
        "torch's seed": torch.initial_seed,
    }
