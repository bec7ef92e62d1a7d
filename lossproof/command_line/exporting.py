"""``export``: the corpus as JSON for other languages, in the format of ``docs/corpus-format.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lossproof.command_line.corpus import read_corpus
from lossproof.command_line.exported_tensors import number_json, printed_json, tensor_json
from lossproof.command_line.terminal import progress
from lossproof.command_line.written_file import write_file
from lossproof.corpus.case import Case, Identity, Parameter, Printed, Term
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.reading import Corpus
from lossproof.corpus.tensors import Tensor
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import Loss

FORMAT = "lossproof-corpus"
VERSION = 1


def corpus_text(corpus: Path | None) -> str:
    """The corpus of a folder, or the default one, as JSON."""
    return corpus_json(read_corpus(corpus))


def write_text(output: Path | None, text: str) -> None:
    """Write a text to a file, or to standard output."""
    if output is None:
        print(text, end="")
    else:
        write_file(output, text.encode())


def corpus_json(corpus: Corpus) -> str:
    """The whole corpus, one case per line, identical byte by byte for identical files."""
    flags: dict[str, dict[str, Any]] = {}
    for case in corpus.cases:
        for flag in case.flags:
            flags.setdefault(case.file, {})[flag.name] = {
                key: value for key, value in asdict(flag).items() if key != "name"
            }
    head = {
        "format": FORMAT,
        "version": VERSION,
        "lossproof": version("lossproof"),
        "corpus": corpus.digest,
        "dtypes": list(FORMATS),
        "losses": {name: _loss_json(LOSSES[name]) for name in sorted({case.loss for case in corpus.cases})},
        "flags": {file: dict(sorted(file_flags.items())) for file, file_flags in sorted(flags.items())},
    }
    with progress("exporting cases", len(corpus.cases)) as advance:
        lines = []
        for case in corpus.cases:
            lines.append(_dump(case_json(case)))
            advance()
    return _dump(head)[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"


def case_json(case: Case) -> dict[str, Any]:
    """A case as plain data, without the keys that it lacks."""
    data = {
        "id": case.id,
        "title": case.title,
        "loss": case.loss,
        "file": case.file,
        "line": case.line,
        "source": asdict(case.source) if case.source else None,
        "flags": [flag.name for flag in case.flags],
        "reductions": list(case.reductions or LOSSES[case.loss].reductions),
        "dtypes": list(case.dtypes),
        "params": _params_json(case.loss, case.params, case.dtypes),
        "args": _args_json(case.loss, case.args, case.dtypes),
        "upstream": tensor_json(case.upstream, None, case.dtypes) if case.upstream is not None else None,
        "expect": {reduction: _printed_json(tensors) for reduction, tensors in case.expect.items()},
        "gradient": {
            reduction: {name: _printed_json(tensors) for name, tensors in by_name.items()}
            for reduction, by_name in case.gradient.items()
        },
        "raises": asdict(case.raises) if case.raises else None,
        "warns": asdict(case.warns) if case.warns else None,
        "same_as": _identity_json(case, case.same_as),
        "differs_from": _identity_json(case, case.differs_from),
        "erratum": {
            "says": {name: printed_json(printed) for name, printed in case.erratum.says.items()},
            "statement": case.erratum.statement,
            "because": case.erratum.because,
        }
        if case.erratum
        else None,
        "prints": list(case.prints),
        "drifted": asdict(case.drifted) if case.drifted else None,
        "module": asdict(case.module) if case.module else None,
        "bias": case.bias,
        "rounded": case.rounded,
        "loses_digits": case.loses_digits,
        "own_process": case.own_process,
        "repeats": case.repeats if case.repeats > 1 else None,
        "kills": list(case.kills),
    }
    return {key: value for key, value in data.items() if value not in (None, False, [], {})}


def _loss_json(loss: Loss) -> dict[str, Any]:
    return {
        "functional": loss.functional,
        "arguments": list(loss.arguments),
        "parameters": list(loss.parameters),
        "reductions": list(loss.reductions),
        "differentiable": list(loss.differentiable),
    }


def _args_json(loss: str, args: Mapping[str, Tensor], dtypes: tuple[str, ...]) -> dict[str, Any]:
    indices = LOSSES[loss].indices_among({name: tensor.shape for name, tensor in args.items()})
    return {
        name: tensor_json(tensor, "int64" if name in indices else None, dtypes)
        for name, tensor in args.items()
    }


def _params_json(loss: str, params: Mapping[str, Parameter], dtypes: tuple[str, ...]) -> dict[str, Any]:
    return {name: _parameter_json(LOSSES[loss], name, value, dtypes) for name, value in params.items()}


def _parameter_json(loss: Loss, name: str, value: Parameter, dtypes: tuple[str, ...]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Numeral):
        return number_json(value, is_count=value.is_integer and name not in loss.real_parameters)
    return tensor_json(value, "int64" if name in loss.index_parameters else None, dtypes)


def _printed_json(tensors: tuple[Printed, ...]) -> list[dict[str, Any]]:
    return [printed_json(printed) for printed in tensors]


def _identity_json(case: Case, identity: Identity | None) -> dict[str, Any] | None:
    if identity is None:
        return None
    return {
        "sum": [_term_json(case, term) for term in identity.terms],
        "reductions": None if identity.reductions is None else list(identity.reductions),
        "why": identity.why,
    }


def _term_json(case: Case, term: Term) -> dict[str, Any]:
    loss = term.loss or case.loss
    return {
        "loss": loss,
        "reduction": term.reduction,
        "params": _params_json(loss, term.params, case.dtypes),
        "args": None if term.args is None else _args_json(loss, term.args, case.dtypes),
    }


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
