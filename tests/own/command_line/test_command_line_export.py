"""``export``: what is written is the corpus, bit by bit; and ``compare`` from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import folder_of_cases, started, typed
from corpus_specimens import EVERY_KEY
from repository import whole_cases

from lossproof.corpus.case import Case
from lossproof.corpus.numeral import Numeral, parse_numeral
from lossproof.corpus.tensors import Literal
from lossproof.corpus.values import rounded
from lossproof.numbers.formats import FORMATS
from lossproof.reference.catalogue import LOSSES


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The suite's own corpus, read as strictly as any JSON reader reads."""
    output = tmp_path_factory.mktemp("export") / "corpus.json"
    assert typed("export", "--output", str(output)).status == 0
    told: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"), parse_constant=_refuse)
    return told


@pytest.fixture(scope="module")
def cases(exported: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The exported cases by id."""
    return {case["id"]: case for case in exported["cases"]}


def _tensors(case: Case, told: Mapping[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    written = [(tensor, told["args"][name]) for name, tensor in case.args.items()]
    parameters = [(value, told["params"][name]) for name, value in case.params.items()]
    return written + [(value, one) for value, one in parameters if isinstance(one, dict) and "shape" in one]


def test_the_head_says_what_it_is(exported: dict[str, Any]) -> None:
    assert (exported["format"], exported["version"]) == ("lossproof-corpus", 1)
    assert exported["losses"]["CrossEntropyLoss"]["reductions"] == ["none", "mean", "sum"]
    assert exported["flags"]["cases/losses/cross_entropy.yaml"]["MeanDenominator"]["severity"] == "high"


def test_every_case_is_there_in_order(exported: dict[str, Any]) -> None:
    assert [case["id"] for case in exported["cases"]] == list(whole_cases())


def test_titles_places_and_sources_are_the_cases_own(cases: dict[str, dict[str, Any]]) -> None:
    for id, case in whole_cases().items():
        told = cases[id]
        assert (told["title"], told["loss"], told["file"], told["line"]) == (
            case.title,
            case.loss,
            case.file,
            case.line,
        )
        assert told.get("source") == (vars(case.source) if case.source else None)
        assert told.get("flags", []) == [flag.name for flag in case.flags]
        assert ("raises" in told, "same_as" in told, "erratum" in told) == (
            case.raises is not None,
            case.same_as is not None,
            case.erratum is not None,
        )


def test_written_numbers_are_exact(cases: dict[str, dict[str, Any]]) -> None:
    seen = 0
    for id, case in whole_cases().items():
        for tensor, told in _tensors(case, cases[id]):
            if isinstance(tensor, Literal):
                read = [parse_numeral(text) for text in told["form"]["data"]]
                assert repr(read) == repr(list(tensor.values))
                assert tuple(told["shape"]) == tensor.shape
                seen += len(read)
    assert seen > 5000


def test_bits_are_those_that_the_suite_computes_with(cases: dict[str, dict[str, Any]]) -> None:
    dtypes = set()
    for id, case in whole_cases().items():
        for tensor, told in _tensors(case, cases[id]):
            numbers = told.get("numbers") or told["first"]
            for dtype, texts in numbers.items():
                dtypes.add(dtype)
                if dtype in FORMATS:
                    expected = rounded(tensor, FORMATS[dtype]).ravel()
                elif dtype.startswith("complex"):
                    expected = rounded(tensor, FORMATS["float32"]).ravel()
                else:
                    expected = rounded(tensor, FORMATS["float64"]).astype(np.int64).ravel()
                read = np.array([_read(text) for text in texts], dtype=expected.dtype)
                wanted = expected if "numbers" in told else expected[:16]
                assert read.tobytes() == wanted.tobytes() or np.array_equal(read, wanted, equal_nan=True), id
                assert np.array_equal(np.signbit(read.real), np.signbit(wanted.real)) or np.isnan(read).any()
            assert tuple(told["shape"]) == tensor.shape
    assert dtypes >= {*FORMATS, "int64", "uint8", "bool"}


def _read(text: Any) -> complex | float | int:
    if isinstance(text, list):
        return complex(float.fromhex(text[0]), float.fromhex(text[1]))
    return int(text) if text.lstrip("-").isdigit() else float.fromhex(text)


def test_a_generator_in_another_language_can_be_held_against_it(cases: dict[str, dict[str, Any]]) -> None:
    """The docstring's formula, in Python's integers alone."""
    tensors = [
        (told, dtype)
        for id, case in whole_cases().items()
        for _, told in _tensors(case, cases[id])
        if "uniform" in told["form"]
        for dtype in (told.get("numbers") or told["first"])
    ]
    assert len(tensors) > 100
    for told, dtype in tensors:
        low, high = (float(parse_numeral(text)) for text in told["form"]["uniform"])
        seed, precision = int(told["form"]["seed"]), FORMATS[dtype].precision
        for place, text in enumerate((told.get("numbers") or told["first"])[dtype][:4]):
            top = _splitmix(seed, place + 1) >> (64 - precision)
            drawn = low + (high - low) * (top / 2**precision)
            assert float.fromhex(text) == float(FORMATS[dtype].round(drawn))


def _splitmix(seed: int, count: int) -> int:
    z = (seed + count * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_printed_numbers_come_with_what_they_claim(cases: dict[str, dict[str, Any]]) -> None:
    seen = 0
    for id, case in whole_cases().items():
        for reduction, tensors in case.expect.items():
            for printed, told in zip(tensors, cases[id]["expect"][reduction], strict=True):
                assert told["decimals"] == [numeral.text for numeral in printed.values]
                assert told.get("dtype") == printed.dtype
                if printed.dtype is None:
                    assert [Fraction(claim) for claim in told["claims"]] == [
                        one.claim for one in printed.values
                    ]
                    seen += len(told["claims"])
    assert seen > 500


def test_scalar_parameters_are_doubles_or_counts(cases: dict[str, dict[str, Any]]) -> None:
    for id, case in whole_cases().items():
        for name, value in case.params.items():
            told = cases[id]["params"][name]
            if value is None or isinstance(value, (bool, str)):
                assert told == value
            elif isinstance(value, Numeral):
                assert told["decimal"] == value.text
                assert told.get("hex", float(value).hex()) == float(value).hex()
                is_real = name in LOSSES[case.loss].real_parameters or not value.is_integer
                assert ("hex" in told) == is_real


def test_every_key_of_a_case_is_exported(tmp_path: Path) -> None:
    corpus = folder_of_cases(tmp_path, EVERY_KEY)
    finished = started("export", "--corpus", str(corpus))
    assert finished.returncode == 0, finished.stderr
    case, *_ = json.loads(finished.stdout)["cases"]
    assert case["gradient"]["mean"]["weight"] == [
        {"shape": [2], "decimals": ["0.5", "-.25"], "dtype": "float32"}
    ]
    assert case["warns"]["match"] == "size_average and .* are"
    assert case["same_as"]["sum"][0]["params"]["weight"]["form"] == {"data": ["2", "4"]}
    assert case["differs_from"]["sum"][1]["params"] == {"weight": None}
    assert case["erratum"]["says"]["mean"]["decimals"] == ["-1.8"]
    assert (case["drifted"]["since"], case["repeats"], case["loses_digits"]) == ("2.0", 3, True)
    assert case["kills"] == ["ce-weight-dropped"]


def test_two_exports_are_the_same_byte_by_byte(tmp_path: Path) -> None:
    corpus = folder_of_cases(tmp_path)
    first, second = (
        started("export", "--corpus", str(corpus), environment={"PYTHONHASHSEED": seed}).stdout
        for seed in "12"
    )
    assert first == second
    assert len(first.splitlines()) == 8


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    corpus = folder_of_cases(tmp_path)
    said = typed("export", "--corpus", str(corpus), "--output", str(tmp_path / "no" / "corpus.json"))
    assert said.status == 2
    assert "cannot be written (No such file or directory); name another file" in said.text
