"""``export``: the corpus as JSON, for suites in other languages, without Python or torch.

The file is one object. ``format`` is ``lossproof-corpus`` and ``version`` 1; a reader refuses other versions.
``corpus`` is the digest of the case files. ``losses`` lists each loss with its function in
torch.nn.functional, its arguments, parameters and reductions, and the arguments that can be differentiated.
``flags`` describes, by file, the flags of the cases. ``cases`` holds the cases in the order of the files,
one per line, with the keys of ``cases/README.md``; keys that a case lacks are left out. The file is strict
JSON: a number that JSON may lose is a string.

A number is an object: ``decimal`` is its exact text, in the grammar of ``cases/README.md``
(``.nan``, ``.inf``; bits as C hexadecimal floats), and ``hex`` is the nearest float64 as C writes it
(``0x1.8p+0``, ``nan``, ``inf``). For another dtype, round the decimal text once, to nearest even: rounding
``hex`` would round twice. A count (an index, an option) has no ``hex``.

A tensor is an object with its ``shape``, its ``dtype`` (``run`` for the dtype of the run) and its ``form`` in
the case: ``data`` as decimal texts in row-major order, or one of ``fill``, ``uniform``, ``index``,
``sigmoid``, ``softmax``, ``log_softmax``, ``log``, ``concatenate``, ``reshape``, ``permute`` and ``complex``.
``numbers`` holds the elements in row-major order: hexadecimal floats, decimal integers, or pairs of parts.
They are under ``float64`` alone if the case states decimals, to be rounded as above, and under each dtype of
the case if they are drawn on the grid of the dtype, or derived from others and rounded once. A tensor of more
than 1,024 elements has its first 16 under ``first``, for checking your own generator. That is SplitMix64
(Steele, Lea and Flood, 2014): element k, counted from 1, comes from z = seed + k * 0x9E3779B97F4A7C15, z = (z
^ (z >> 30)) * 0xBF58476D1CE4E5B9, z = (z ^ (z >> 27)) * 0x94D049BB133111EB and z ^ (z >> 31), modulo 2^64.
``uniform`` is low + (high - low) t / 2^p in float64, rounded to the dtype: p is the dtype's precision (53,
24, 8, 11), and t the element's top p bits. ``index`` is the element modulo the number of classes.

``expect``, by reduction, and ``gradient``, by reduction and argument, hold printed tensors: ``shape``,
``decimals``, and either ``claims`` or ``dtype``. A claim is half a unit of a number's last digit: the true
value must lie within it. ``dtype`` is the one in which the numbers were observed; they claim no digits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lossproof.command_line.corpus import read_corpus
from lossproof.command_line.exported_tensors import number_json, printed_json, tensor_json
from lossproof.command_line.terminal import Mistake, progress
from lossproof.corpus.case import Case, Identity, Parameter, Printed, Term
from lossproof.corpus.numeral import Numeral
from lossproof.corpus.reading import Corpus
from lossproof.corpus.tensors import Tensor
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES
from lossproof.reference.loss import Loss

FORMAT = "lossproof-corpus"
VERSION = 1


def export(output: Path | None, corpus: Path | None) -> None:
    """Write the corpus as JSON to a file, or to standard output."""
    text = corpus_json(read_corpus(corpus))
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{output} cannot be written ({error.strerror}); name another file") from error


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
        "module": {"aspect": case.module.aspect, "expected": case.module.expected} if case.module else None,
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
