"""What the tests of the loader share: a case that is in order, and one with every key."""

from __future__ import annotations

from pathlib import Path

from lossproof.corpus.complaints import Complaint, CorpusError
from lossproof.corpus.numeral import Numeral, parse_numeral
from lossproof.corpus.reading import Corpus, load_corpus

IN_ORDER = """\
loss: CrossEntropyLoss
cases:
  - id: one
    title: a case in order
    args: {input: [[1, 2], [1, 3]], target: [0, 1]}
"""

EVERY_KEY = """\
document: {name: 002_76d7edb28dd97171, title: "A note", about: It is about losses.}
loss: CrossEntropyLoss
flags:
  MeanDenominator: {bug: wrong value, severity: high, why: "mean divides by the weights' sum, not by N"}
cases:
  - id: weighted-mean
    title: the weighted mean divides by the sum of the picked weights
    source: {document: 002_76d7edb28dd97171, place: "section 2, under CE", claim: D002-6}
    prints: [mean, erratum]
    flags: [MeanDenominator]
    params: {weight: [1, 2], label_smoothing: 0.0}
    args: {input: [[1, 2], [1, 3], [1, 3]], target: [0, 1, 1]}
    reductions: [none, mean]
    dtypes: [float64, float32]
    expect:
      none: [1.3133, 0.2539, 0.2539]
      mean: {digits: 0.3642, float32: 0.36418}
    gradient: {mean: {input: [[-0.1, 0.1], [0.1, -0.1], [0.1, -0.1]], weight: {float32: [0.5, -.25]}}}
    warns: {when: construct, kind: option, torch: {type: UserWarning, match: 'size_average and .* are'}}
    same_as:
      {loss: CrossEntropyLoss, params: {weight: [2, 4]}, reduction: mean, reductions: [mean], why: scale}
    differs_from:
      sum: [{reduction: sum}, {params: {weight: null}}]
      why: they are weighted
    erratum: {says: {mean: [-1.8]}, because: the sign is lost}
    drifted: {was: "8", since: "2.0", unit: attributes}
    rounded: false
    loses_digits: true
    own_process: false
    repeats: 3
    kills: [ce-weight-dropped]
  - id: forms
    title: every form of a tensor
    loss: KLDivLoss
    args:
      input:
        log_softmax:
          concatenate: [{uniform: [-4, 4], shape: [2, 3], seed: 7}, {fill: 1, shape: [1, 3]}]
          dim: 0
        dim: 1
      target:
        reshape:
          permute: {softmax: {log: {sigmoid: [[1, 2, '0x1p-3'], [3, 8.5, 1e-0]]}}, dim: 1}
          dims: [1, 0]
        shape: [6]
    bias: true
  - id: indices
    title: whole numbers
    args:
      input: {fill: 0, shape: [0, 3], dtype: float32}
      target: {index: 3, shape: [0], seed: 8}
    erratum: {says: "an empty batch gives 0", because: its mean is nan}
  - id: scaled
    title: a scaled mean
    args: {input: [[1, 2]], target: [0]}
    upstream: 1024
    reductions: [mean]
  - id: refused
    title: an index out of range is refused
    params: {ignore_index: -100, reduction: men, nonsense: true, also: 'text'}
    args: {input: [[1, 2]], target: {dtype: int64, data: [2]}, extra: .nan}
    raises: {when: call, kind: index, torch: {type: IndexError, match: out of bounds}}
  - id: chain
    title: the chain of classes
    module: {aspect: class_chain, expected: [CrossEntropyLoss, {depth: 3, own: true, none: null}]}
"""


def write(root: Path, **files: str | bytes) -> Path:
    """Write ``cases/NAME.yaml`` below ``root`` for each file; underscores in names become hyphens."""
    folder = root / "cases"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        (folder / f"{name.replace('_', '-')}.yaml").write_bytes(data)
    return folder


def load(root: Path, **files: str | bytes) -> Corpus:
    """The corpus made of these files."""
    return load_corpus(write(root, **files))


def complaints_about(root: Path, **files: str | bytes) -> tuple[Complaint, ...]:
    """The complaints about a corpus made of these files; none when it is in order."""
    try:
        load(root, **files)
    except CorpusError as error:
        return error.complaints
    return ()


def numerals(*texts: str) -> tuple[Numeral, ...]:
    return tuple(map(parse_numeral, texts))
