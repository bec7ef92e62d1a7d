"""``new``: makes a case from numbers typed in, and fills in its results with certified digits."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lossproof.checks.certification import certify
from lossproof.command_line.case_file import CaseFile
from lossproof.command_line.case_text import braces, case_text, mapping, nested, text
from lossproof.command_line.checking import is_inside
from lossproof.command_line.corpus import find_loss, read_corpus
from lossproof.command_line.planted import Kills, kills_of
from lossproof.command_line.terminal import Mistake, complain, progress, remark, say
from lossproof.command_line.twins import near_twins
from lossproof.command_line.typed_call import TypedCall, read_call
from lossproof.command_line.values import Digits, case_gradient, case_value
from lossproof.corpus.case import Case
from lossproof.corpus.files import default_corpus
from lossproof.judging.calls import make_call, prepare_call, reductions_of
from lossproof.records.outcome import Outcome
from lossproof.reference.refusals import Refusal
from lossproof.reporting.text import count

# Keys of a case whose texts are copied as typed.
_COPIED_KEYS = (
    "source",
    "flags",
    "reductions",
    "dtypes",
    "warns",
    "bias",
    "loses_digits",
    "own_process",
    "repeats",
)
# Its own options, for near words only.
_OWN_OPTIONS = ("id", "title", "file", "digits", "gradient", "kills", "corpus")
# A file needs no more numbers than this: the reference computes them anyway.
_MOST_NUMBERS = 64


def new(
    name: str,
    tokens: Sequence[str],
    id: str,
    title: str,
    file: Path | None,
    digits: int,
    with_gradient: bool,
    with_kills: bool,
    corpus: Path | None,
) -> None:
    """Write a case to standard output, or add it to the end of a file, and say what comes next."""
    call = read_call(find_loss(name), tokens, _COPIED_KEYS, _OWN_OPTIONS)
    _demand_file_of_flags(call, file, corpus)
    case_file = CaseFile.read(file, call.loss.name)
    fields = _fields(call, id, title, case_file)
    case = case_file.with_case(fields)
    if case is None:
        fields["rounded"] = "true"
        case = case_file.with_case(fields)
        complain("Not every dtype can hold these numbers, so the case says 'rounded: true'.")
    assert case is not None
    if file is None or is_inside(file, corpus):
        _demand_new(case, corpus)
    with progress(f"certifying {id}"):
        fields |= _results(case, digits, with_gradient)
        certified = case_file.with_case(fields)
        assert certified is not None
        wrong = [record.message for record in certify(certified) if record.outcome != Outcome.AGREE]
    if wrong:
        raise Mistake("The digits could not be confirmed: " + "; ".join(wrong))
    kills = _kills(case_file, fields, id, corpus) if with_kills else None
    if kills and kills.alone:
        fields["kills"] = f"[{', '.join(kills.alone)}]"
    if file is None:
        say(case_file.entry(fields).rstrip("\n"))
    else:
        case_file.append(file, fields)
        say(f"{file}: case {id} added, {count(len(case_file.cases) + 1, 'case')} in all")
    if kills:
        remark(str(kills))
    for line in _next_steps(case, file, corpus):
        remark(line)


def _demand_file_of_flags(call: TypedCall, file: Path | None, corpus: Path | None) -> None:
    """A flag is described in the file of its cases, so that a case without a file cannot have one."""
    if file is None and "flags" in call.others:
        files = [case.file for case in read_corpus(corpus).cases if case.loss == call.loss.name]
        example = f", such as --file {Counter(files).most_common(1)[0][0]}" if files else ""
        raise Mistake(
            f"--flags names mistakes that a file of cases describes under 'flags:'; name the file{example}"
        )


def _kills(case_file: CaseFile, fields: dict[str, str], id: str, corpus: Path | None) -> Kills | None:
    with progress(f"planting faults for {id}"):
        kills = kills_of(case_file.text_with(fields), id, corpus or default_corpus(Path()))
    if kills is None:
        remark("--kills needs a checkout with its proofs/: a package holds no planted faults.")
    return kills


def _next_steps(case: Case, file: Path | None, corpus: Path | None) -> Iterator[str]:
    """Which cases are much like the new one, and how it is run."""
    for twin in near_twins(case, read_corpus(corpus).cases):
        yield f"Much like it: {twin.id} ({twin.file}:{twin.line}): {twin.title}"
    folder = corpus or default_corpus(Path())
    command = ["lossproof", "verify", "--cases", case.id]
    if file is None:
        yield f"To run it, put it below 'cases:' of a file in {folder}, or add it with --file."
    elif is_inside(file, corpus):
        named = ["--corpus", str(corpus)] if corpus else []
        yield f"Run it: {shlex.join([*command, *named])}"
    else:
        yield f"{file} lies outside {folder}, where verify looks for cases; there it finds this one:"
        yield f"  {shlex.join([*command, '--corpus', str(file.parent)])}"


def _fields(call: TypedCall, id: str, title: str, case_file: CaseFile) -> dict[str, str]:
    fields = {"id": text(id), "title": text(title)}
    if case_file.loss != call.loss.name:
        fields["loss"] = call.loss.name
    for key, value in call.others.items():
        if "\n" in value:
            raise Mistake(f"--{key} has more than one line; write it on one")
        fields[key] = value
    if call.reduction is not None:
        if "reductions" in fields:
            raise Mistake("--reduction and --reductions say the same; keep one of them")
        fields["reductions"] = f"[{call.reduction}]"
    if call.params:
        fields["params"] = mapping(call.params)
    upstream = {} if call.upstream is None else {"upstream": case_text(call.upstream)}
    return fields | {"args": mapping(call.args)} | upstream


def _demand_new(case: Case, corpus: Path | None) -> None:
    for other in read_corpus(corpus, [case.id]).cases:
        if other.id == case.id:
            raise Mistake(f"the id '{case.id}' is in use at {other.file}:{other.line}; choose another")


def _results(case: Case, digits: int, with_gradient: bool) -> dict[str, str]:
    """The values and gradients that are small enough to be read."""
    values: dict[str, str] = {}
    gradients: dict[str, str] = {}
    for reduction in reductions_of(case):
        try:
            prepared = prepare_call(make_call(case, "float64", reduction))
        except Refusal as refusal:
            remedy = "a case that must be refused says 'raises:' and is written by hand"
            raise Mistake(f"{case.loss} refuses this call ({refusal.kind}): {refusal}; {remedy}") from refusal
        label = _label(case, reduction)
        _add_numbers(values, label, case_value(case, reduction, digits))
        by_name: dict[str, str] = {}
        for name in prepared.differentiable if with_gradient else ():
            _add_numbers(by_name, name, case_gradient(case, reduction, name, digits))
        if by_name:
            gradients[label] = braces(by_name)
    results = {"expect": values, "gradient": gradients}
    return {key: braces(numbers) for key, numbers in results.items() if numbers}


def _label(case: Case, reduction: str | None) -> str:
    """The key of a result: the reduction, the one among the params, or ``none``."""
    passed = case.params.get("reduction")
    return reduction or (passed if isinstance(passed, str) else "none")


def _add_numbers(fields: dict[str, str], key: str, digits: Digits) -> None:
    texts, shape = digits
    if len(texts) <= _MOST_NUMBERS:
        fields[key] = nested(texts, shape)
