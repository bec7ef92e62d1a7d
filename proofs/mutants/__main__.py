"""Mutation testing of the reference and of the judge: a case or a test should protect each of their lines.

A mutant is one of their modules with one small mistake in it::

    python -m proofs.mutants [FILE ...] [--quick] [--again RESULTS] [--output RESULTS]

Each mutant runs in a process of its own, forked from one that has loaded torch and the corpus. Detectors run
on it, beginning with those that have noticed the most mutants. A mutant that no detector notices must be
explained in ``surviving_mutants.yaml``. The exit status is 1 if a survivor is unexplained, or an explanation
has no survivor.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import importlib.util
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import hypothesis.strategies  # noqa: F401  # loaded once, for all children
import packaging.specifiers  # noqa: F401  # likewise
import torch
import torch.fx.experimental.symbolic_shapes  # brings sympy, which torch loads with its first derivative
import yaml

from proofs.mutants.detectors import ROOT, Detector
from proofs.mutants.operators import Mutant, mutants_of
from proofs.mutants.schedule import load, schedule

# What identifies a mutant: line numbers change too often.
Key = tuple[str, str, str, str]
_NAMES = ("file", "function", "code", "mutation")
ROOMS = ("reference", "judging", "checks", "checks/modes")
EXPLANATIONS = Path(__file__).parent / "surviving_mutants.yaml"
# A detector hangs if it takes this long, and twenty times its usual time.
_PATIENCE = 40.0
# Without a mutant nothing hangs, but a busy machine may be slow.
_HOUR = 3600.0


@dataclass(frozen=True)
class Finding:
    """The fate of a mutant: the detector that noticed it, and its message; both empty for a survivor."""

    noticed_by: str
    message: str
    seconds: float


@dataclass
class Campaign:
    """The mutants of one module, with the statistics of its detectors."""

    corpus: Any
    module: str
    detectors: Sequence[Detector]
    durations: dict[str, float] = field(default_factory=lambda: {"import": 0.0})
    successes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def rehearse(self) -> list[str]:
        """Run every detector without a mutant; drop and return those that fail."""
        failures = []
        for name, seconds, message in self._child(None, self.detectors, runs_all=True):
            self.durations[name] = seconds
            if message:
                failures.append(f"{name}: {message}")
                self.detectors = [detector for detector in self.detectors if detector.name != name]
        return failures

    def judge(self, mutant: Mutant) -> Finding:
        """Run detectors on a mutant until one of them notices it."""
        started = time.monotonic()
        ordered = sorted(self.detectors, key=lambda detector: -self._promise(mutant, detector))
        with contextlib.closing(self._child(mutant, ordered)) as results:
            for name, _, message in results:
                if message:
                    self.successes[mutant.function, name] += 1
                    self.successes["", name] += 1
                    return Finding(name, message, time.monotonic() - started)
        return Finding("", "", time.monotonic() - started)

    def _promise(self, mutant: Mutant, detector: Detector) -> float:
        """How likely a detector is to notice a mutant, for the time that it takes."""
        in_function, anywhere = (
            self.successes[mutant.function, detector.name],
            self.successes["", detector.name],
        )
        return (3 * in_function + anywhere + 0.01) / (self.durations[detector.name] + 0.05)

    def _child(
        self, mutant: Mutant | None, detectors: Sequence[Detector], runs_all: bool = False
    ) -> Generator[tuple[str, float, str]]:
        receiver, sender = multiprocessing.Pipe()
        child = os.fork()
        if child == 0:
            _run_child(sender, self.corpus, self.module, mutant, detectors, runs_all)
        sender.close()
        current = "import"
        try:
            while current:
                limit = _HOUR if mutant is None else max(_PATIENCE, 20 * self.durations.get(current, 0.0))
                if not receiver.poll(limit):
                    yield current, limit, "it hangs"
                    return
                try:
                    message = receiver.recv()
                except EOFError:
                    yield current, 0.0, "the process ends"
                    return
                if len(message) == 1:
                    [current] = message
                else:
                    yield message
        finally:
            receiver.close()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from mutated code."""

    def __init__(self, module: str, code: CodeType) -> None:
        self.module, self.code = module, code

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.module:
            return None
        return importlib.util.spec_from_file_location(name, self.code.co_filename, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def _run_child(
    pipe: Connection,
    corpus: Any,
    module: str,
    mutant: Mutant | None,
    detectors: Sequence[Detector],
    runs_all: bool,
) -> None:
    """Import the mutant, run the detectors and exit; report each as it begins, and its result."""
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Importer(module, mutant.compiled()))
        for detector in detectors:
            pipe.send((detector.name,))
            started = time.monotonic()
            try:
                message = detector.failure(corpus)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                message = f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
            pipe.send((detector.name, time.monotonic() - started, message[:300]))
            if message and not runs_all:
                return
        pipe.send(("",))
    finally:
        os._exit(0)


def _key(entry: Mapping[str, Any]) -> Key:
    file, function, code, mutation = (str(entry[name]) for name in _NAMES)
    return file, function, code, mutation


def _explanations(files: Iterable[str]) -> dict[Key, str]:
    entries = yaml.safe_load(EXPLANATIONS.read_text()) or []
    return {
        _key({**entry, "mutation": mutation}): entry["why"]
        for entry in entries
        if entry["file"] in files
        for mutation in entry["mutations"]
    }


def main() -> int:
    """Test the mutants of the requested files, or of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="modules of the reference or the judge (default: all)")
    parser.add_argument("--again", type=Path, help="only the survivors of these results")
    parser.add_argument("--output", type=Path, default=ROOT / "reports/mutants.jsonl")
    parser.add_argument("--quick", action="store_true", help="leave the slower tests out")
    options = parser.parse_args()
    os.nice(10)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", SyntaxWarning)
    files = options.files or [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in sorted((ROOT / "lossproof" / room).glob("*.py"))
    ]
    selected = None
    if options.again:
        results = [json.loads(line) for line in options.again.read_text().splitlines()]
        selected = {_key(result) for result in results if not result["noticed_by"]}
        files = [file for file in files if any(key[0] == file for key in selected)]
    surroundings = load()
    problems: list[str] = []
    survivors: set[Key] = set()
    explanations = _explanations(files)
    with options.output.open("w") as output:
        for file in files:
            mutants = [
                mutant
                for mutant in mutants_of(ROOT, file)
                if selected is None or _key(vars(mutant)) in selected
            ]
            if not mutants:
                continue
            module = file.removesuffix(".py").replace("/", ".")
            campaign = Campaign(surroundings.corpus, module, schedule(surroundings, file, options.quick))
            failures = [f"fails without any mutant: {failure}" for failure in campaign.rehearse()]
            print(*failures, sep="\n", end="\n" * bool(failures), flush=True)
            problems += failures
            if selected is not None:
                # The quick run left the tests out, or they are newer than it.
                campaign.successes.update(
                    ("", name) for name in campaign.durations if name.startswith("test_")
                )
            started, noticed = time.monotonic(), 0
            for mutant in mutants:
                finding = campaign.judge(mutant)
                key = _key(vars(mutant))
                result = dict(zip(_NAMES, key, strict=True)) | {
                    "operator": mutant.operator,
                    "noticed_by": finding.noticed_by,
                    "message": finding.message,
                    "seconds": round(finding.seconds, 2),
                    "explained": explanations.get(key, ""),
                }
                print(json.dumps(result), file=output, flush=True)
                noticed += bool(finding.noticed_by)
                if not finding.noticed_by:
                    survivors.add(key)
            seconds = time.monotonic() - started
            print(f"{file}: {len(mutants)} mutants, {noticed} noticed, {seconds:.0f} s", flush=True)
    problems += [
        f"survives unexplained: {' | '.join(key)}" for key in sorted(survivors - explanations.keys())
    ]
    if selected is None:
        problems += [
            f"explained, but no survivor: {' | '.join(key)}"
            for key in sorted(explanations.keys() - survivors)
        ]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
