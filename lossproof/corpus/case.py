"""A case as frozen data, independent of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lossproof.corpus.numeral import Numeral
from lossproof.corpus.observed import Observed
from lossproof.corpus.tensors import Tensor
from lossproof.numbers.formats import DEFAULT_DTYPES

# A parameter is a tensor, a number, a boolean, a string or null.
Parameter = Tensor | Numeral | bool | str | None


@dataclass(frozen=True)
class Source:
    """Where a case comes from: the document's file name, the section, the claim's id."""

    document: str
    place: str
    claim: str


@dataclass(frozen=True)
class Document:
    """A document that cases cite: the name in their citations, its title, and its subject matter."""

    name: str
    title: str
    about: str


@dataclass(frozen=True)
class Flag:
    """A kind of mistake that cases look for."""

    name: str
    bug: str
    severity: str
    why: str


@dataclass(frozen=True)
class Printed:
    """An expected tensor: numbers that claim their digits, or the result observed in one dtype.

    Attributes:
        values: the numbers, in row-major order.
        shape: the tensor's shape, ``()`` for a single number.
        dtype: the dtype in which the numbers were observed, or None if they claim their digits.
    """

    values: tuple[Numeral, ...]
    shape: tuple[int, ...]
    dtype: str | None = None


@dataclass(frozen=True)
class Raised:
    """An exception or a warning that a case demands.

    Attributes:
        kind: index, shape, dtype, range or option; for a warning, its topic.
        when: ``construct`` or ``call``.
        type: the name of torch's exception or warning class.
        match: a regular expression found in torch's message.
    """

    kind: str
    when: str
    type: str
    match: str


@dataclass(frozen=True)
class Term:
    """One call in an identity: the case's own call with some of its parts replaced.

    ``params`` are merged over the case's own, unless the term names another ``loss``. ``args`` replace all
    arguments of the case.
    """

    loss: str | None = None
    reduction: str | None = None
    params: Mapping[str, Parameter] = field(default_factory=dict)
    args: Mapping[str, Tensor] | None = None


@dataclass(frozen=True)
class Identity:
    """A sum of calls that the case's own call must equal (``same_as``) or differ from (``differs_from``)."""

    terms: tuple[Term, ...]
    reductions: tuple[str, ...] | None
    why: str


@dataclass(frozen=True)
class Erratum:
    """A wrong statement of a document, and why it is wrong.

    ``says`` holds numbers by reduction, which must not come out; ``statement`` holds a text instead.
    """

    says: Mapping[str, Printed]
    statement: str
    because: str


@dataclass(frozen=True)
class Drifted:
    """A statement that was true of an older release; ``unit`` says what was counted."""

    was: str
    since: str
    unit: str = ""


@dataclass(frozen=True)
class ModuleClaim:
    """A claim about torch's modules or names rather than about a number.

    Attributes:
        aspect: one of ``corpus.keys.ASPECTS``.
        expected: the result, as plain data.
    """

    aspect: str
    expected: object


@dataclass(frozen=True)
class Case:
    """One case of the corpus; see ``cases/README.md`` for the meaning of each part.

    ``prints`` names what the document itself prints: reductions under ``expect``, and ``erratum`` for the
    numbers of the erratum. ``upstream`` is the upstream gradient of its gradients, None for the usual two.
    """

    id: str
    title: str
    loss: str
    file: str
    line: int
    source: Source | None = None
    prints: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    params: Mapping[str, Parameter] = field(default_factory=dict)
    args: Mapping[str, Tensor] = field(default_factory=dict)
    upstream: Tensor | None = None
    reductions: tuple[str, ...] | None = None
    dtypes: tuple[str, ...] = DEFAULT_DTYPES
    expect: Mapping[str, tuple[Printed, ...]] = field(default_factory=dict)
    gradient: Mapping[str, Mapping[str, tuple[Printed, ...]]] = field(default_factory=dict)
    raises: Raised | None = None
    warns: Raised | None = None
    same_as: Identity | None = None
    differs_from: Identity | None = None
    erratum: Erratum | None = None
    drifted: Drifted | None = None
    module: ModuleClaim | None = None
    bias: bool = False
    rounded: bool = False
    loses_digits: bool = False
    own_process: bool = False
    repeats: int = 1
    kills: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownDefect:
    """A check that a subject is known to fail; see ``cases/README.md``.

    Attributes:
        case, subject: what fails; ``subject`` may be ``torch.*`` for both torch subjects.
        dtypes, reductions, quantities, layouts: those affected; empty means any.
        since, until: the first and the last affected release, inclusive, compared on as many numbers as each
            has; empty means no limit.
        platform, device: the one affected; empty means any.
        observed: the result; nothing else is excused.
        elements: how many numbers may be off; empty means any.
        expected: the right result, in words or numbers.
        why: the reason.
        kind: defect, convention or undefined.
        link: the issue, or empty if none was found.
        searched: the words and the date of a search for reports; empty if there was none.
        file, line: the place of the entry.
        pattern: the pattern of cases, if the entry is one of several that stand for it: then not every case
            must show it, but one must.
    """

    case: str
    subject: str
    dtypes: tuple[str, ...]
    reductions: tuple[str, ...]
    quantities: tuple[str, ...]
    since: str
    until: str
    platform: str
    device: str
    observed: Observed
    expected: str
    why: str
    kind: str
    link: str
    file: str
    line: int
    layouts: tuple[str, ...] = ()
    searched: str = ""
    elements: tuple[int, ...] = ()
    pattern: str = ""
