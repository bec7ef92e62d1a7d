"""Where whole numbers belong, any other is refused in a sentence: in every verb, loss and form of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from command_lines import folder_of_cases, started, typed
from hypothesis import given
from hypothesis import strategies as st

from lossproof.corpus.call_reading import read_args
from lossproof.corpus.case import Case
from lossproof.corpus.complaints import Notes
from lossproof.corpus.nodes import parse_tree
from lossproof.corpus.tensors import Tensor
from lossproof.judging.calls import make_call
from lossproof.reference.catalogue import LOSSES

# Arguments in order, of each loss that takes whole numbers.
CALLS: Mapping[str, Mapping[str, str]] = {
    "AdaptiveLogSoftmaxWithLoss": {"input": "[[1, 2], [3, 4]]", "target": "[0, 1]"},
    "CTCLoss": {
        "log_probs": "[[[-1, -2]], [[-3, -1]]]",
        "targets": "[[1]]",
        "input_lengths": "[2]",
        "target_lengths": "[1]",
    },
    "CrossEntropyLoss": {"input": "[[1, 2], [3, 4], [5, 6]]", "target": "[0, 1, 0]"},
    "LinearCrossEntropyLoss": {"input": "[[1], [2]]", "linear_weight": "[[1], [2]]", "target": "[0, 1]"},
    "MultiLabelMarginLoss": {"input": "[[1, 2], [3, 4]]", "target": "[[0, -1], [0, 1]]"},
    "MultiMarginLoss": {"input": "[[1, 2], [3, 4]]", "target": "[0, 1]"},
    "NLLLoss": {"input": "[[-1, -2], [-3, -4]]", "target": "[0, 1]"},
    "NLLLoss2d": {"input": "[[[[-1]], [[-2]]]]", "target": "[[[1]]]"},
}
POSITIONS = [
    (loss, name)
    for loss, args in CALLS.items()
    for name in args
    if name.startswith("target") or name.endswith("_lengths")
]
# From a number to the forms of a tensor that holds it, as in a case file.
FORMS = (
    "{0}",
    "[0, {0}]",
    "[[1], [{0}]]",
    "{{fill: {0}, shape: [2]}}",
    "{{concatenate: [[0], [{0}]], dim: 0}}",
    "{{reshape: [0, {0}], shape: [2, 1]}}",
    "{{patch: [0, 1], at: [[1]], numbers: [{0}]}}",
    "{{patch: [{0}, 1], at: [[1]], numbers: [0]}}",
    "{{permute: [[0, {0}]], dims: [1, 0]}}",
    "{{reshape: {{permute: {{fill: {0}, shape: [1, 2]}}, dims: [1, 0]}}, shape: [2]}}",
)
OF_NO_WHOLE_NUMBERS = (
    "{uniform: [0, 2], shape: [2], seed: 1}",
    "{sigmoid: [0, 1]}",
    "{log: [1, 2]}",
    "{softmax: [0, 1], dim: 0}",
    "{log_softmax: [0, 1], dim: 0}",
    "{complex: [[0, 1], [0, 0]]}",
    "{dtype: float32, data: [0, 1]}",
    "{dtype: complex64, data: [0, 1]}",
    "{fill: 0, shape: [2], dtype: bfloat16}",
    "{concatenate: [{dtype: float64, data: [0.5]}, {dtype: float64, data: [1]}], dim: 0}",
    "{reshape: {sigmoid: [0, 1]}, shape: [2]}",
)
UNLIKE_WHOLE = ("1.0", "1.2", "1.5", "1e0", "1e30", "-0.0", ".nan", ".inf", "-.inf", "'0x1p1'", str(2**63))


def read_call(
    loss: str, changes: Mapping[str, str], wants_refusal: bool = False
) -> tuple[dict[str, Tensor], list[str]]:
    """The arguments of the loss's call with some of them changed, and what the reader says of them."""
    notes = Notes("x.yaml")
    pairs = ", ".join(f"{name}: {tensor}" for name, tensor in {**CALLS[loss], **changes}.items())
    args = read_args(parse_tree(f"{{{pairs}}}", notes), "args", LOSSES[loss], notes, wants_refusal)
    return args, [f"{one.problem}; {one.remedy}" for one in notes.complaints()]


def test_every_place_of_whole_numbers_is_tried() -> None:
    found = set()
    for loss in CALLS:
        args, said = read_call(loss, {})
        assert said == []
        shapes = {name: tensor.shape for name, tensor in args.items()}
        found |= {(loss, name) for name in LOSSES[loss].indices_among(shapes)}
    assert found == set(POSITIONS)
    scalar = {name: () for loss in LOSSES.values() for name in loss.arguments}
    row = {**scalar, "input": (1, 2), "linear_weight": (3, 2)}
    assert {name for name, loss in LOSSES.items() if loss.indices(row)} == set(CALLS)


@given(
    place=st.sampled_from(POSITIONS),
    form=st.sampled_from(FORMS),
    number=st.one_of(
        st.sampled_from(UNLIKE_WHOLE),
        st.floats(-1e18, 1e18).map(lambda value: f"{value:.6f}"),
        st.integers(2**63, 2**80).map(str),
        st.integers(-(2**80), -(2**63) - 1).map(str),
    ),
    wants_refusal=st.booleans(),
)
def test_a_number_that_is_not_whole_is_refused_in_any_place(
    place: tuple[str, str], form: str, number: str, wants_refusal: bool
) -> None:
    loss, name = place
    _, (said,) = read_call(loss, {name: form.format(number)}, wants_refusal)
    problem, _, remedy = said.partition("; ")
    assert problem.startswith(f"args.{name}")
    assert number.strip("'") in problem
    assert remedy


@given(place=st.sampled_from(POSITIONS), form=st.sampled_from(FORMS), number=st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_comes_through_as_it_is(place: tuple[str, str], form: str, number: int) -> None:
    loss, name = place
    args, said = read_call(loss, {name: form.format(number)})
    assert said == []
    values = make_call(Case("x", "x", loss, "x", 1, args=args), "float16", None).args[name]
    assert values.dtype == "int64"
    assert number in values.numbers.ravel().tolist()


@pytest.mark.parametrize("tensor", OF_NO_WHOLE_NUMBERS)
@pytest.mark.parametrize(("loss", "name"), POSITIONS)
def test_what_holds_no_whole_numbers_is_refused(loss: str, name: str, tensor: str) -> None:
    _, said = read_call(loss, {name: tensor})
    assert said
    assert all(one.startswith(f"args.{name}") for one in said)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize(("loss", "name"), POSITIONS)
def test_what_is_to_be_refused_states_its_dtype(loss: str, name: str, dtype: str) -> None:
    stated = f"{{dtype: {dtype}, data: [0.5, 1]}}"
    args, said = read_call(loss, {name: stated}, wants_refusal=True)
    assert said == []
    values = make_call(Case("x", "x", loss, "x", 1, args=args), "float64", None).args[name]
    assert values.dtype == dtype
    assert values.numbers.tolist() == [0.5, 1]
    _, (plain,) = read_call(loss, {name: "[0.5, 1]"}, wants_refusal=True)
    assert "state its dtype: {dtype: float32, data: ...}" in plain


def test_the_place_within_the_tensor_is_named() -> None:
    _, (said,) = read_call("NLLLoss", {"target": "{reshape: [[0], [1.5], [0.5]], shape: [3]}"})
    assert said.startswith("args.target.reshape[1][0] is 1.5 but must be a whole number (and 1 more are not)")
    _, (said,) = read_call("NLLLoss", {"target": "[0, 1.0]"})
    assert said == (
        "args.target[1] is 1.0 but must be a whole number; write it in digits only, without a point"
    )


def test_tensors_of_different_dtypes_are_not_joined() -> None:
    for parts in ("{dtype: int64, data: [1]}, [0.5]", "[1], {dtype: float32, data: [0.5]}"):
        _, (said,) = read_call("NLLLoss", {"input": f"{{concatenate: [{parts}], dim: 0}}"})
        assert "args.input.concatenate joins tensors that state" in said


# Line 6 of a case that is otherwise in order, and what is wrong with it.
CASE = """\
loss: CrossEntropyLoss
cases:
  - id: one
    title: a case
    args: {input: [[1, 2], [3, 4], [5, 6]], target: [0, 1, 0]}
"""
LINES = [
    ("params: {ignore_index: 1.5}", "params.ignore_index is 1.5 but must be a whole number"),
    ("same_as: {args: {input: [[1, 2]], target: [0.5]}, why: w}", "same_as.args.target[0] is 0.5"),
    ("differs_from: {params: {ignore_index: 0.5}, why: w}", "differs_from.params.ignore_index is 0.5"),
    (
        "same_as: {sum: [{reduction: sum}, {args: {input: [[1, 2]], target: [.nan]}}], why: w}",
        "same_as.sum[1].args.target[0] is .nan",
    ),
]


@pytest.mark.parametrize(("line", "answer"), LINES)
@pytest.mark.parametrize("verb", ["check", "show", "explain", "export", "list"])
def test_a_file_that_holds_one_is_refused_by_every_verb(
    tmp_path: Path, verb: str, line: str, answer: str
) -> None:
    cases = folder_of_cases(tmp_path, f"{CASE}    {line}\n")
    words = {
        "check": (str(cases / "some.yaml"),),
        "show": ("one", "--corpus", str(cases)),
        "explain": ("one", "--corpus", str(cases)),
        "export": ("--corpus", str(cases)),
        "list": ("cases", "--corpus", str(cases)),
    }
    said = typed(verb, *words[verb])
    assert said.status == 2
    assert f"some.yaml:6: [one] {answer}" in said.text


def test_arguments_that_another_loss_takes_for_indices_are_looked_at(tmp_path: Path) -> None:
    text = CASE.replace("CrossEntropyLoss", "MSELoss").replace("[0, 1, 0]", "[[0.25], [1], [0]]")
    line = "    same_as: {loss: CrossEntropyLoss, why: it is not}\n"
    said = typed("check", str(folder_of_cases(tmp_path, text + line) / "some.yaml"))
    assert said.status == 2
    assert "same_as takes the case's args, and args.target[0][0] is 0.25" in said.text


TYPED = [
    (("CrossEntropyLoss", "--input", "[[1, 2], [3, 4], [5, 6]]", "--target", "[0.0, 1.2, 0.0]"), "target[0]"),
    (
        ("CrossEntropyLoss", "--input", "[[1, 2]]", "--target", "{fill: 0.5, shape: [1]}"),
        "target.fill is 0.5",
    ),
    (("CrossEntropyLoss", "--input", "[[1, 2]]", "--target", "[1e30]"), "target[0] is 1e30"),
    (("CrossEntropyLoss", "--input", "[[1, 2]]", "--target", "[.inf]"), "target[0] is .inf"),
    (("Softmax", "--input", "[1, 2]", "--dim", "0.5"), "dim is 0.5 but must be a whole number"),
    (("CosineSimilarity", "--x1", "[[1]]", "--x2", "[[1]]", "--dim", "1e0"), "dim is 1e0"),
    (("KLDivLoss", "--input", "[-1]", "--target", "[1]", "--log-target", "2"), "must be true or false"),
    (
        ("MultiMarginLoss", "--input", "[[1, 2]]", "--target", "[0]", "--p", "1.5"),
        "p is 1.5 but must be 1 or 2",
    ),
    (("BCELoss", "--input", "[0.5]", "--target", "[1]", "--weight", "2"), "weight is a number ('2')"),
]


@pytest.mark.parametrize(("words", "answer"), TYPED)
@pytest.mark.parametrize("verb", ["run", "new"])
def test_what_is_typed_is_refused_alike(verb: str, words: tuple[str, ...], answer: str) -> None:
    more = ("--id", "mine-one", "--title", "mine") if verb == "new" else ()
    said = typed(verb, *words, *more)
    assert said.status == 2
    assert answer in said.text
    assert "Warning" not in said.text
    assert "-9223372036854775808" not in said.text


def test_a_run_of_the_suite_does_not_begin(tmp_path: Path) -> None:
    line, answer = LINES[0]
    cases = folder_of_cases(tmp_path, f"{CASE}    {line}\n")
    ended = started("verify", "--corpus", str(cases), "--reports", str(tmp_path / "reports"))
    assert ended.returncode == 2
    assert f"some.yaml:6: [one] {answer}" in ended.stdout + ended.stderr
