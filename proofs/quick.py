"""``python -m proofs.quick [LOSS...]``: which few cases of a loss catch most faults, for ``verify --quick``.

Each fault is planted in torch, and each case of its loss runs in one dtype, without modes. Other layouts than
the contiguous one, which take most of the time, run for faults that nothing else shows. The cases are then
chosen greedily: the one that catches most of what is still uncaught, the smallest of several, until
everything that any case catches is caught. The selection is written into the package; that of other losses
stays as it is.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import torch

from lossproof.checks.examination import Examiner
from lossproof.corpus.case import Case
from lossproof.corpus.reading import load_corpus
from lossproof.corpus.tensors import Tensor
from lossproof.judging.content_store import ContentStore
from lossproof.judging.known_defects import relevant
from lossproof.judging.stored_truth import storing
from lossproof.reference.catalogue import LOSSES
from lossproof.running.quick import QUICK_CASES
from lossproof.subjects.registry import find_subject
from proofs.faults.catalogue import FAULTS
from proofs.faults.matrix import Search, caught_by, searches

_DTYPE = "float32"
# With this as the dtype of layouts, none but the contiguous one is examined.
_OTHER = "float16"


def main(losses: Sequence[str]) -> int:
    """Measure some losses or all, and print and write the selection of each as soon as it is known."""
    torch.set_num_threads(1)
    corpus = load_corpus(Path("cases"))
    selection: dict[str, list[str]] = json.loads(QUICK_CASES.read_text(encoding="utf-8"))
    for search in searches(corpus, [fault for fault in FAULTS.values() if fault.loss in (losses or LOSSES)]):
        with tempfile.TemporaryDirectory() as folder, storing(ContentStore(Path(folder))):
            catches = _catches(search)
        sizes = {case.id: _size(case) for case in search.cases}
        chosen = cover(catches, sizes)
        selection[search.loss] = [case.id for case in search.cases if case.id in chosen]
        caught = set().union(*catches.values())
        print(
            f"{search.loss:32} {len(chosen):3} of {len(search.cases):3} cases catch {len(caught):3} faults",
            flush=True,
        )
        QUICK_CASES.write_text(json.dumps(selection, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def _catches(search: Search) -> dict[str, set[str]]:
    """The faults that each case catches."""
    found: dict[str, set[str]] = {}
    for fault in search.plantable:
        is_of_a_module = fault.subject == "torch.nn" and LOSSES[search.loss].functional is not None
        if fault.shows_in_modes or is_of_a_module:
            continue  # a function has neither modes nor modules
        subject = find_subject(fault.subject)
        defects = relevant(search.known_defects, subject.name, subject.version(), "cpu")
        defective = {entry.case for entry in defects}
        cases = [case for case in search.cases if case.module is None and case.id not in defective]
        for layout_dtype in (_OTHER, _DTYPE):
            examiner = Examiner(layout_dtype, with_modes=False, with_illustrations=False, picks=search.picks)
            catching = [
                case.id
                for case in cases
                if caught_by(fault, case, _dtype_of(case), subject, examiner, defects)
            ]
            for id in catching:
                found.setdefault(id, set()).add(fault.id)
            if catching:
                break
    return found


def _dtype_of(case: Case) -> str:
    return _DTYPE if _DTYPE in case.dtypes else case.dtypes[0]


def cover(catches: Mapping[str, Set[str]], sizes: Mapping[str, int]) -> set[str]:
    """Few keys whose sets have everything that any set has.

    >>> sorted(cover({"a": {1, 2}, "b": {2}, "c": {3}, "d": {3}}, {"a": 9, "b": 1, "c": 5, "d": 4}))
    ['a', 'd']
    """
    rest = set().union(*catches.values())
    chosen: set[str] = set()
    while rest:
        best = max(catches, key=lambda case: (len(catches[case] & rest), -sizes[case]))
        chosen.add(best)
        rest -= catches[best]
    return chosen


def _size(case: Case) -> int:
    """How many numbers a case has."""
    total = 0
    for value in (*case.args.values(), *case.params.values()):
        if isinstance(value, Tensor):
            count = 1
            for size in value.shape:
                count *= size
            total += count
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
