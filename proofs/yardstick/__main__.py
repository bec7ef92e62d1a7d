"""How many of the planted faults PyTorch's own tests catch, as far as these come with the wheel.

This runs its ModuleInfo, OpInfo and common_nn tests of losses on the CPU: values against the reference of an
entry, Python references, expected errors, dtypes, strided inputs, saving and loading, first and second
derivatives, backward and forward. Every test first runs without a fault, and is left out if it does not
pass. That run also notes which tests reach the target of which fault, whatever their loss. Only those tests
run on the fault, in a fixed order, until one fails.

What is fair. A fault is planted where the catalogue says. An OpInfo, which holds the function that it found
at import, is made to look it up at call time. References are unchanged. An independent formula (common_nn's,
NumPy's, torch._refs') does not contain the fault. A reference that calls the module itself does, just as it
would contain a bug of the kernel below: that such a test cannot see the fault is a finding. A failure due to
a limit of Python patches (arguments in another order, forward mode) is no catch; any other is one.

What is left out. The tests written by hand in PyTorch's test_nn.py and elsewhere do not come with the wheel,
so PyTorch's whole suite may catch more than this. Tests of how an operator is implemented (composite
compliance, fake tensors, TorchScript, decompositions, memory formats) would judge the Python of the patch,
not the loss. Faults in losses that torch lacks are not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fnmatch
import hashlib
import itertools
import json
import platform
import sys
import time
import unittest
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from proofs.faults.catalogue import FAULTS
from proofs.faults.fault import Fault, Function

try:
    from proofs.yardstick.pytorch_tests.criteria import TestNN
    from proofs.yardstick.pytorch_tests.modules import MODULE_TESTS
    from proofs.yardstick.pytorch_tests.operators import GRADIENT_TESTS, VALUE_TESTS
    from proofs.yardstick.pytorch_tests.shared import CountingTestCase, with_plain_calls
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"PyTorch's tests need '{missing.name}', which is not installed; "
        "install it with: pip install --editable '.[benchmark]'"
    ) from None

DATA = Path(__file__).parent / "pytorch_own_tests.json"

# Cheap tests, and those that catch most, come first.
CLASSES: Sequence[type[unittest.TestCase]] = (*MODULE_TESTS, TestNN, *VALUE_TESTS, *GRADIENT_TESTS)

# What autograd and vmap say of a Python function in place of a kernel. It says nothing about the loss.
PATCH_LIMITS = (
    "You must implement the jvp function for custom autograd.Function",
    "Batching rule not implemented for",
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The verdict of PyTorch's tests on a fault: the first test that fails with it, if any does."""

    by: str | None
    seconds: float


@dataclasses.dataclass
class Baseline:
    """PyTorch's tests without any fault.

    Attributes:
        outcomes: how many tests passed, failed, were skipped or were expected to fail.
        comparisons: how many values the passing tests compared.
        reaching: by target, the passing tests that reach it.
    """

    outcomes: Counter[str]
    comparisons: int
    reaching: Mapping[str, Sequence[unittest.TestCase]]


def all_tests() -> Iterator[unittest.TestCase]:
    """All tests, in the order in which they run."""
    for cls in CLASSES:
        yield from (cls(name) for name in unittest.defaultTestLoader.getTestCaseNames(cls))


def outcome_of(test: unittest.TestCase) -> str:
    """Run a test."""
    result = unittest.TestResult()
    test(result)
    problems = [text for _, text in (*result.failures, *result.errors)]
    if any(limit in text for text in problems for limit in PATCH_LIMITS):
        return "beyond the patch"
    if problems or result.unexpectedSuccesses:
        return "failed"
    if result.expectedFailures:
        return "expected to fail"
    return "skipped" if result.skipped else "passed"


def name_of(test: unittest.TestCase) -> str:
    """The name that PyTorch gives a test."""
    return f"{type(test).__name__}.{test._testMethodName}"


def baseline(targets: Mapping[str, Fault]) -> Baseline:
    """Run every test without a fault, and note which of ``targets`` each reaches."""
    reached: set[str] = set()
    reaching: dict[str, list[unittest.TestCase]] = {target: [] for target in targets}
    outcomes: Counter[str] = Counter()
    comparisons = 0
    with contextlib.ExitStack() as stack:
        # Methods before their class, which a function then replaces.
        for target in sorted(targets, key=lambda target: -target.count(".")):
            stack.enter_context(_noting(targets[target], target, reached).planted())
        for test in all_tests():
            reached.clear()
            before = CountingTestCase.comparisons
            outcome = outcome_of(test)
            outcomes[outcome] += 1
            if outcome == "passed":
                comparisons += CountingTestCase.comparisons - before
                for target in reached:
                    reaching[target].append(type(test)(test._testMethodName))
    return Baseline(outcomes, comparisons, reaching)


def _noting(fault: Fault, target: str, reached: set[str]) -> Fault:
    """A fault that only notes that it was reached."""

    def note(original: Function, *args: Any, **options: Any) -> Any:
        reached.add(target)
        return original(*args, **options)

    return with_plain_calls(dataclasses.replace(fault, replacement=note))


def verdict(fault: Fault, tests: Sequence[unittest.TestCase]) -> Verdict:
    """Run the tests with the fault until one fails."""
    before = time.process_time()
    with with_plain_calls(fault).planted():
        # New test objects, since those of PyTorch keep state from their first run.
        fresh = (type(test)(test._testMethodName) for test in tests)
        by = next((name_of(test) for test in fresh if outcome_of(test) == "failed"), None)
    return Verdict(by, round(time.process_time() - before, 2))


def choose(pattern: str, per_loss: int | None) -> list[Fault]:
    """The faults in losses of torch that a pattern names, or a sample of them, by loss and id."""
    faults = [
        fault
        for fault in sorted(FAULTS.values(), key=lambda fault: (fault.loss, fault.id))
        if hasattr(torch.nn, fault.loss)
        and (fnmatch.fnmatchcase(fault.id, pattern) or fnmatch.fnmatchcase(fault.loss, pattern))
    ]
    by_loss = itertools.groupby(faults, key=lambda fault: fault.loss)
    # An arbitrary sample, which is the same in every run.
    return [fault for _, group in by_loss for fault in sorted(group, key=_sample_order)[:per_loss]]


def _sample_order(fault: Fault) -> str:
    return hashlib.sha256(fault.id.encode()).hexdigest()


def print_table(
    faults: Sequence[Fault], verdicts: Mapping[str, Verdict], reaching: Mapping[str, Any]
) -> None:
    """A row for each loss, and the sum."""
    row = "{:30}{:>8}{:>8}{:>8}{:>10}".format
    print(row("loss", "faults", "caught", "tests", "seconds"))
    for loss, group in itertools.groupby(faults, key=lambda fault: fault.loss):
        of_loss = list(group)
        tests = {name_of(test) for fault in of_loss for test in reaching[fault.target]}
        print(row(loss, *_figures([verdicts[fault.id] for fault in of_loss], len(tests))))
    tests = {name_of(test) for tests in reaching.values() for test in tests}
    print(row("all", *_figures(list(verdicts.values()), len(tests))))
    for fault in faults:
        if verdicts[fault.id].by is None:
            print(f"not caught: {fault.id}: {fault.mistake}")


def _figures(verdicts: Sequence[Verdict], tests: int) -> tuple[int, int, int, str]:
    seconds = sum(verdict.seconds for verdict in verdicts)
    return len(verdicts), sum(verdict.by is not None for verdict in verdicts), tests, f"{seconds:.1f}"


def write(verdicts: Mapping[str, Verdict], ran: Baseline, seconds: float) -> None:
    """Write the data file, completely or not at all."""
    content = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "tests": dict(sorted(ran.outcomes.items())),
        "comparisons": ran.comparisons,
        "faults": {
            id: {"caught": verdict.by is not None, **dataclasses.asdict(verdict)}
            for id, verdict in sorted(verdicts.items())
        },
    }
    draft = DATA.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(DATA)


def main() -> None:
    """Measure, print and, after all faults, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pattern", nargs="?", default="*", help="only faults or losses whose name matches")
    parser.add_argument("-n", type=int, help="a sample of so many faults of each loss")
    options = parser.parse_args()
    faults = choose(options.pattern, options.n)
    if not faults:
        raise SystemExit(f"no fault and no loss matches '{options.pattern}'")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    start = time.process_time()
    ran = baseline({fault.target: fault for fault in faults})
    print(
        f"without a fault, {time.process_time() - start:.0f} s: {ran.comparisons} comparisons; tests", end=" "
    )
    print(", ".join(f"{outcome} {count}" for outcome, count in ran.outcomes.items()), flush=True)
    verdicts = {}
    for number, fault in enumerate(faults, 1):
        verdicts[fault.id] = verdict(fault, ran.reaching[fault.target])
        print(f"{number}/{len(faults)} {fault.id}: {verdicts[fault.id].by}", file=sys.stderr, flush=True)
    seconds = time.process_time() - start
    print_table(faults, verdicts, ran.reaching)
    print(f"{seconds:.0f} s of processor time in all")
    if options.pattern == "*":
        write(verdicts, ran, seconds)
        print(f"written: {DATA.name}")


if __name__ == "__main__":
    main()
