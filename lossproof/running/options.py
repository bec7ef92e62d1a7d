"""The options of a run, each with what it means."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from typing import Any

_FLAG = {"action": "store_const", "const": "yes"}


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time limit; name a number of seconds above 0")
    return seconds


class _Naming(argparse.Action):
    """The value of an option that names what is tested: an empty one would test something else."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if not str(values).strip():
            raise argparse.ArgumentError(
                self, "it is empty, as an unset variable would be; name what to test"
            )
        setattr(namespace, self.dest, values)


# By name, what ``argparse`` needs to know. The value is a text, which is empty if nothing is given.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--subjects": {"action": _Naming, "help": "implementations to test, comma-separated"},
    "--dtypes": {"help": "dtypes to test in, comma-separated"},
    "--cases": {"help": "case ids to run, comma-separated shell patterns"},
    "--losses": {"help": "losses to run, comma-separated: MSELoss,F.cross_entropy"},
    "--flags": {"help": "run only cases that look for one of these mistakes, comma-separated"},
    "--quantities": {"help": "check only these, comma-separated shell patterns: 'value,gradient*'"},
    "--no-refusals": {**_FLAG, "help": "leave out calls that must be refused"},
    "--subject": {
        "action": _Naming,
        "help": "a function to test: package.module:name or path/to/file.py:name",
    },
    "--as": {"dest": "loss", "help": "the loss that it computes: CrossEntropyLoss"},
    "--arrays": {"help": "whose arrays it takes (default: torch)"},
    "--backward": {"help": "a function for its gradients (default: autograd)"},
    "--fixed": {"help": "parameters that it does not take: reduction=none"},
    "--lacks": {"help": "features that it does not have, comma-separated"},
    "--command": {"action": _Naming, "help": "a program to test: ./runner (docs/any-language.md)"},
    "--check-messages": {
        **_FLAG,
        "help": "hold lossproof's own messages to the program against their schema, too",
    },
    "--quick": {**_FLAG, "help": "run only the few cases of each loss that catch most faults"},
    "--device": {"default": "cpu", "help": "the device to run on (default: cpu)"},
    "--strict-budgets": {
        "action": "store_true",
        "default": False,
        "help": "let a foreign subject disagree beyond its budget, even if it is close",
    },
    "--shard": {"help": "run only one part of several, such as 3/8"},
    "--shard-times": {"help": "junit.xml of an earlier run, or its folder, to balance shards by"},
    "--changed": {
        "action": "store_true",
        "default": False,
        "help": "run only what has changed since it passed, or has not passed",
    },
    "--corpus": {"default": None, "help": "the folder of case files (default: the suite's own)"},
    "--time-limit": {
        "default": 300.0,
        "type": _seconds,
        "help": "seconds after which a trial counts as an error (default: 300)",
    },
    "--reports": {"default": None, "help": "the folder of the reports (default: reports)"},
    "--baseline": {"default": None, "help": "results.jsonl of another run, or its folder, to compare with"},
}


# Those of them that say how a run is made, whatever it tests.
_MANNER = ("--check-messages", "--device", "--strict-budgets", "--corpus", "--time-limit", "--reports")

# Those of them that name what is tested.
NAMING = tuple(name for name, stated in OPTIONS.items() if stated.get("action") is _Naming)


def manner_of(options: argparse.Namespace) -> list[str]:
    """The options by which another run is made in the same manner, as on the command line."""
    words: list[str] = []
    for name in _MANNER:
        value = getattr(options, name.removeprefix("--").replace("-", "_"))
        if value != OPTIONS[name].get("default", ""):
            is_flag = "const" in OPTIONS[name] or value is True
            words += [name] if is_flag else [name, f"{value:g}" if isinstance(value, float) else str(value)]
    return words


def described() -> str:
    """A line for each option."""
    width = max(map(len, OPTIONS))
    return "\n".join(f"{name:{width}}  {stated['help']}" for name, stated in OPTIONS.items())
