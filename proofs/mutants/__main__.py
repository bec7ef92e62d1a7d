"""Mutation testing of the reference and of the judge, each of whose lines a case or a test should hold.

A mutant is one of their modules with one small mistake in it::

    python -m proofs.mutants [FILE ...] [--quick] [--again RESULTS] [--output RESULTS]

Each mutant runs in a process of its own, forked from one that has loaded torch and the corpus, and meets
the checks that have noticed most mutants so far first. One that meets all of them unnoticed must be
explained in ``surviving_mutants.yaml``. The exit status is 1 where a survivor is unexplained, or an
explanation is of no survivor.
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

from proofs.mutants.detectors import ROOT, Check
from proofs.mutants.operators import Mutant, mutants_of
from proofs.mutants.schedule import load, schedule

# What a mutant is known by: line numbers change too often.
Key = tuple[str, str, str, str]
_NAMES = ("file", "function", "code", "mutation")
ROOMS = ("reference", "judging", "checks", "checks/modes")
EXPLANATIONS = Path(__file__).parent / "surviving_mutants.yaml"
# A check that takes this long, and twenty times its usual time, hangs.
_PATIENCE = 40.0
# Without a mutant nothing hangs, however long it takes on a busy machine.
_HOUR = 3600.0


@dataclass(frozen=True)
class Finding:
    """What became of a mutant: the check that noticed it, and what that said; both empty for a survivor."""

    noticed_by: str
    message: str
    seconds: float


@dataclass
class Campaign:
    """The mutants of one module, and what has been learnt of its checks."""

    corpus: Any
    module: str
    checks: Sequence[Check]
    durations: dict[str, float] = field(default_factory=lambda: {"import": 0.0})
    successes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def rehearse(self) -> list[str]:
        """Run every check without a mutant; what fails then is no check, and is returned."""
        failures = []
        for name, seconds, message in self._child(None, self.checks, is_through=True):
            self.durations[name] = seconds
            if message:
                failures.append(f"{name}: {message}")
                self.checks = [check for check in self.checks if check.name != name]
        return failures

    def judge(self, mutant: Mutant) -> Finding:
        """Let the checks meet a mutant until one of them notices."""
        started = time.monotonic()
        ordered = sorted(self.checks, key=lambda check: -self._promise(mutant, check))
        with contextlib.closing(self._child(mutant, ordered)) as heard:
            for name, _, message in heard:
                if message:
                    self.successes[mutant.function, name] += 1
                    self.successes["", name] += 1
                    return Finding(name, message, time.monotonic() - started)
        return Finding("", "", time.monotonic() - started)

    def _promise(self, mutant: Mutant, check: Check) -> float:
        """How likely a check is to notice, for the time that it takes."""
        here, anywhere = self.successes[mutant.function, check.name], self.successes["", check.name]
        return (3 * here + anywhere + 0.01) / (self.durations[check.name] + 0.05)

    def _child(
        self, mutant: Mutant | None, checks: Sequence[Check], is_through: bool = False
    ) -> Generator[tuple[str, float, str]]:
        here, there = multiprocessing.Pipe()
        child = os.fork()
        if child == 0:
            _run_child(there, self.corpus, self.module, mutant, checks, is_through)
        there.close()
        current = "import"
        try:
            while current:
                limit = _HOUR if mutant is None else max(_PATIENCE, 20 * self.durations.get(current, 0.0))
                if not here.poll(limit):
                    yield current, limit, "it hangs"
                    return
                try:
                    said = here.recv()
                except EOFError:
                    yield current, 0.0, "the process ends"
                    return
                if len(said) == 1:
                    [current] = said
                else:
                    yield said
        finally:
            here.close()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from mutated code."""

    def __init__(self, module: str, code: CodeType) -> None:
        self.module, self.code = module, code

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        is_it = name == self.module
        return importlib.util.spec_from_loader(name, self, origin=self.code.co_filename) if is_it else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def _run_child(
    pipe: Connection,
    corpus: Any,
    module: str,
    mutant: Mutant | None,
    checks: Sequence[Check],
    is_through: bool,
) -> None:
    """Import the mutant, meet the checks, end; tell of each as it begins, and how it ended."""
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        if mutant is not None:
            sys.meta_path.insert(0, _Importer(module, mutant.compiled()))
        for check in checks:
            pipe.send((check.name,))
            started = time.monotonic()
            try:
                message = check.failure(corpus)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                message = f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
            pipe.send((check.name, time.monotonic() - started, message[:300]))
            if message and not is_through:
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
    """Meet the mutants of the files that are asked for, by default of all."""
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
    wanted = None
    if options.again:
        results = [json.loads(line) for line in options.again.read_text().splitlines()]
        wanted = {_key(result) for result in results if not result["noticed_by"]}
        files = [file for file in files if any(key[0] == file for key in wanted)]
    surroundings = load()
    problems: list[str] = []
    survivors: set[Key] = set()
    explanations = _explanations(files)
    with options.output.open("w") as output:
        for file in files:
            mutants = [
                mutant for mutant in mutants_of(ROOT, file) if wanted is None or _key(vars(mutant)) in wanted
            ]
            if not mutants:
                continue
            module = file.removesuffix(".py").replace("/", ".")
            campaign = Campaign(surroundings.corpus, module, schedule(surroundings, file, options.quick))
            failures = [f"fails without any mutant: {failure}" for failure in campaign.rehearse()]
            print(*failures, sep="\n", end="\n" * bool(failures), flush=True)
            problems += failures
            if wanted is not None:
                # The quick run has left them out, or they were written since.
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
    if wanted is None:
        problems += [
            f"explained, but no survivor: {' | '.join(key)}"
            for key in sorted(explanations.keys() - survivors)
        ]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
