"""The schema that editors use says the same as the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from corpus_specimens import EVERY_KEY, IN_ORDER, complaints_about
from jsonschema import Draft202012Validator
from repository import ROOT

from lossproof.corpus import keys
from lossproof.corpus.complaints import Notes
from lossproof.corpus.files import find_files
from lossproof.corpus.nodes import ListNode, MappingNode, Node, ScalarNode, parse_tree
from lossproof.corpus.numeral import parse_numeral
from lossproof.corpus.scalars import Meaning, meaning
from lossproof.numbers.formats import FORMATS

CASES = ROOT / "cases"
SCHEMA: dict[str, Any] = json.loads((CASES / "schema.json").read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]


def as_editors_see_it(node: Node) -> object:
    """A tree in JSON's types."""
    if isinstance(node, ListNode):
        return [as_editors_see_it(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {key: as_editors_see_it(entry.value) for key, entry in node.entries.items()}
    assert isinstance(node, ScalarNode)
    kind = Meaning.STRING if node.quoted else meaning(node.text)
    if kind is Meaning.NUMBER:
        numeral = parse_numeral(node.text)
        return int(node.text) if numeral.is_integer else float(numeral)
    if kind is Meaning.BOOLEAN:
        return node.text == "true"
    return None if kind in (Meaning.NULL, Meaning.NOTHING) else node.text


def schema_complaints(text: str) -> list[str]:
    notes = Notes("x")
    data = as_editors_see_it(parse_tree(text, notes))
    assert len(notes) == 0
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_file_of_cases_is_valid_by_the_schema() -> None:
    files = [
        path
        for path in find_files(CASES)[0]
        if "known-defects" not in path.name and path.name != "conventions.yaml"
    ]
    wrong = {path.name: schema_complaints(path.read_text(encoding="utf-8")) for path in files}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_file_with_every_key_is_valid_by_both(tmp_path: Path) -> None:
    assert complaints_about(tmp_path, x=EVERY_KEY) == ()
    assert schema_complaints(EVERY_KEY) == []


@pytest.mark.parametrize("key", keys.CASE.all)
def test_the_specimen_has_every_key(key: str) -> None:
    assert f"{key}:" in EVERY_KEY


@pytest.mark.parametrize(
    ("definition", "table"),
    [
        (SCHEMA, keys.FILE),
        (DEFINITIONS["case"], keys.CASE),
        (DEFINITIONS["flag"], keys.FLAG),
        (DEFINITIONS["document"], keys.DOCUMENT),
        (DEFINITIONS["source"], keys.SOURCE),
        (DEFINITIONS["raised"], keys.RAISED),
        (DEFINITIONS["torch"], keys.TORCH),
        (DEFINITIONS["term"], keys.TERM),
        (DEFINITIONS["identity"], keys.IDENTITY),
        (DEFINITIONS["erratum"], keys.ERRATUM),
        (DEFINITIONS["drifted"], keys.DRIFTED),
        (DEFINITIONS["module"], keys.MODULE),
    ],
)
def test_sections_have_the_same_keys(definition: dict[str, Any], table: keys.Keys) -> None:
    assert set(definition["properties"]) == set(table.all)
    assert set(definition.get("required", ())) == set(table.required)
    assert definition["additionalProperties"] is False


def test_tensor_forms_have_the_same_keys() -> None:
    forms = DEFINITIONS["tensorForm"]["oneOf"]
    found = {(frozenset(form["required"]), frozenset(form["properties"])) for form in forms}
    assert found == {(frozenset(form.required), frozenset(form.all)) for form in keys.TENSOR_FORMS.values()}
    assert len(forms) == len(keys.TENSOR_FORMS)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (DEFINITIONS["floatDtype"], tuple(FORMATS)),
        (DEFINITIONS["dtype"]["anyOf"][1], keys.DTYPES[len(FORMATS) :]),
        (DEFINITIONS["reduction"], keys.REDUCTIONS),
        (DEFINITIONS["flag"]["properties"]["severity"], keys.SEVERITIES),
        (DEFINITIONS["raised"]["properties"]["when"], keys.STAGES),
        (DEFINITIONS["raised"]["properties"]["kind"], keys.REFUSALS),
        (DEFINITIONS["module"]["properties"]["aspect"], keys.ASPECTS),
    ],
)
def test_words_are_the_same(definition: dict[str, Any], words: tuple[str, ...]) -> None:
    assert definition["enum"] == list(words)


def test_the_readme_of_the_cases_names_all_dtypes() -> None:
    readme = (CASES / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith("| `{dtype: int64, data: "))
    assert re.findall(r"\b(?:b?float|u?int|complex)[0-9]\w*|\bbool", row.split("|")[2]) == list(keys.DTYPES)


@pytest.mark.parametrize("key", keys.PRINTED.all)
def test_both_take_numbers_of_every_dtype(tmp_path: Path, key: str) -> None:
    dtypes = "" if key == "digits" else f"    dtypes: [{key}]\n"
    text = IN_ORDER + dtypes + f"    reductions: [sum]\n    expect: {{sum: {{{key}: 0.44}}}}\n"
    assert complaints_about(tmp_path, x=text) == ()
    assert schema_complaints(text) == []


def test_what_cannot_stand_together_is_the_same() -> None:
    found = {key: tuple(rule["properties"]) for key, rule in DEFINITIONS["case"]["dependentSchemas"].items()}
    assert found == keys.EXCLUDED


LINES = [
    "titel: again",
    "expect: {}",
    "expect: {summ: 1}",
    "expect: {sum: x}",
    "expect: {sum: {float23: 1}}",
    "gradient: {sum: [1]}",
    "bias: 1",
    "params: {weight: {fil: 1, shape: [2]}}",
    "params: {weight: {fill: 1}}",
    "params: {weight: {fill: 1, shape: [-2]}}",
    "params: {weight: {uniform: [1], shape: [2], seed: 1}}",
    "params: {weight: {uniform: [0, 1], shape: [2], seed: -1}}",
    "params: {weight: {softmax: [1, 2]}}",
    "params: {weight: {dtype: int23, data: [1]}}",
    "reductions: [mean, mean]",
    "reductions: []",
    "dtypes: [int64]",
    "source: {document: 002_76d7, place: x}",
    "source: {document: 002_76d7, place: x, claim: D2-6}",
    "raises: {when: later, kind: index, torch: {type: E, match: m}}",
    "warns: {when: call, kind: indx, torch: {type: E, match: m}}",
    "same_as: {loss: NLLLoss}",
    "same_as: {why: because}",
    "same_as: {sum: [], why: w}",
    "same_as: {sum: [{reduction: sum}], loss: NLLLoss, why: w}",
    "erratum: {says: 1.8, because: w}",
    "drifted: {was: 8, since: '2.0'}",
    "module: {aspect: class_chain, expected: [A]}",
    "module: {aspect: chain, expected: [A]}",
]


@pytest.mark.parametrize("line", LINES)
def test_both_refuse_a_bad_line(tmp_path: Path, line: str) -> None:
    text = IN_ORDER + f"    {line}\n"
    assert complaints_about(tmp_path, x=text) != ()
    assert schema_complaints(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "loss: NLLLoss\n",
        "cases: []\n",
        "cases: [x]\n",
        IN_ORDER.replace("one", "One"),
        IN_ORDER.replace("one", "x" * 81),
        IN_ORDER.replace("title: a case in order", "rounded: false"),
        IN_ORDER.replace("id: one", "rounded: false"),
        IN_ORDER.replace("args: {", "drifted: {was: x, since: x} # "),
        "flags: {F: {bug: b, severity: hgih, why: w}}\n" + IN_ORDER + "    flags: [F]\n",
    ],
)
def test_both_refuse_a_bad_file(tmp_path: Path, text: str) -> None:
    assert complaints_about(tmp_path, x=text) != ()
    assert schema_complaints(text) != []
