"""Sweep torch.nn.functional for false alarms of the suite.

``python -m proofs.false_alarms --checks 100000 --seed 1`` prints how many checks and outputs were judged
and each alarm; its exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lossproof.subjects.registry import find_subject
from proofs.false_alarms.sweep import sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep torch.nn.functional, and print the result."""
    parser = argparse.ArgumentParser(prog="proofs.false_alarms", description=__doc__)
    parser.add_argument("--checks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    tally = sweep(find_subject("torch.nn.functional"), options.checks, options.seed)
    for alarm in tally.alarms[:50]:
        print(alarm)
    totals = f"{tally.calls} calls, {tally.checks} checks, {tally.outputs} outputs"
    for rule, checks in sorted(tally.by_rule.items()):
        print(f"passed by the rule of {rule}: {checks} checks")
    print(f"{totals}, {tally.undecided} undecided, {len(tally.alarms)} false alarms")
    return 1 if tally.alarms else 0


if __name__ == "__main__":
    sys.exit(main())
