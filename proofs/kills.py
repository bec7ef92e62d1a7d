"""``python -m proofs.kills FILE CASE``: which planted faults a case catches, and which no other case does.

It prints JSON: ``loss``, how many ``faults`` can be planted in it, those that the case ``catches``, and those
of them that it catches ``alone``.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lossproof.corpus.case import Case
from lossproof.corpus.case_reading import read_cases
from lossproof.corpus.complaints import CorpusError, Notes
from lossproof.corpus.files import read_text_file
from lossproof.corpus.nodes import parse_tree
from lossproof.corpus.reading import Corpus, load_corpus
from proofs.faults.catalogue import FAULTS
from proofs.faults.fault import Fault
from proofs.faults.matrix import searches


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; 2 if the file or the case cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m proofs.kills", description=__doc__)
    parser.add_argument("file", type=Path, help="the file of the case, in the corpus or not")
    parser.add_argument("case", help="its id")
    parser.add_argument("--corpus", type=Path, default=Path("cases"), help="the other cases (default: cases)")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # cases check those that matter
    try:
        case = _read(options.file, options.case)
        corpus = load_corpus(options.corpus)
    except CorpusError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    faults = [fault for fault in FAULTS.values() if fault.loss == case.loss and not fault.obstacle]
    caught = caught_by(corpus, [case], faults)
    others = [one for one in corpus.cases if one.loss == case.loss and one.id != case.id]
    alone = [fault for fault in caught if not _is_caught(corpus, others, fault)]
    findings = {"catches": [fault.id for fault in caught], "alone": [fault.id for fault in alone]}
    print(json.dumps({"loss": case.loss, "faults": len(faults), **findings}))
    return 0


def caught_by(corpus: Corpus, cases: Sequence[Case], faults: Sequence[Fault]) -> list[Fault]:
    """The faults that any of these cases catches in any dtype."""
    part = replace(corpus, cases=tuple(cases))
    found = {kill.fault for search in searches(part, faults) for kill in search.full()}
    return [fault for fault in faults if fault.id in found]


def _is_caught(corpus: Corpus, cases: Sequence[Case], fault: Fault) -> bool:
    """Whether any case catches a fault; those that claim it are tried first, and the search ends at one."""
    likeliest_first = tuple(sorted(cases, key=lambda case: fault.id not in case.kills))
    [search] = searches(replace(corpus, cases=likeliest_first), [fault])
    return next(search.full(), None) is not None


def _read(file: Path, id: str) -> Case:
    notes = Notes(str(file))
    text = read_text_file(file, notes)
    cases = [] if text is None else read_cases(parse_tree(text, notes), notes)
    found = next((case for case in cases if case.id == id), None)
    if found is None and not notes.complaints():
        notes.add(None, f"there is no case '{id}'", "name one of the file's cases")
    if complaints := notes.complaints():
        raise CorpusError(complaints)
    assert found is not None
    return found


if __name__ == "__main__":
    sys.exit(main())
