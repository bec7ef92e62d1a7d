"""The program that shows a failure, for whoever reads the output of a test."""

from __future__ import annotations

from collections.abc import Sequence

from lossproof.records.record import Record

_LONGEST = 4000  # characters: a program that is longer is packed numbers, and fills the screen


def shown_program(failures: Sequence[Record], where: str) -> str:
    """The program of the first of these records, if it is short; a sentence if not; empty if there is none.

    Args:
        failures: failing records of a trial.
        where: the end of the sentence, which says where to find the program.
    """
    program = (failures[0].detail or {}).get("snippet", "") if failures else ""
    if len(program) > _LONGEST:
        return f"\nThe program that shows the first of them has {len(program):,} characters; {where}"
    return f"\nThis shows the first of them:\n\n{program}" if program else ""
