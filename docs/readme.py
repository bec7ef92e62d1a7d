"""The README's table of losses, made from the corpus: ``make readme`` writes it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.reference.catalogue import LOSSES

ROOT = Path(__file__).parents[1]
_BEGIN = "<!-- losses: written by `make readme` -->\n"
_END = "<!-- end of losses -->\n"


def losses_table(corpus: Corpus) -> str:
    """A row for each loss that has cases, in Markdown: its names, parameters, gradients and cases."""
    cases = Counter(case.loss for case in corpus.cases)
    lines = ["| loss | function | parameters | gradients by | cases |", "|---|---|---|---|---|"]
    for name in sorted(cases):
        loss = LOSSES[name]
        # Arguments of one shape: with a target of probabilities, a class weight has a gradient too.
        shapes = dict.fromkeys(loss.arguments, (2,))
        gradients = (*loss.differentiable, *loss.differentiable_parameters(shapes))
        cells = (
            name,
            loss.functional or "",
            ", ".join(loss.parameters),
            ", ".join(gradients),
            str(cases[name]),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def with_table(readme: str, table: str) -> str:
    """The text of the README, its table replaced.

    Raises:
        ValueError: where the README lacks the comments between which the table stands.
    """
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"README.md lacks the lines {_BEGIN.strip()} and {_END.strip()}; put them back")
    return before + begin + table + end + after


def main() -> int:
    """Write the table into the README."""
    readme = ROOT / "README.md"
    corpus = load_corpus(ROOT / "cases")
    readme.write_text(with_table(readme.read_text(encoding="utf-8"), losses_table(corpus)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
