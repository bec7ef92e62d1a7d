"""What torch has no loss for is judged as what it is: an expression, by a subject of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_reference import ARGUMENTS
from test_reporting import AGREES, RUN, page_data, result_of

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.judging.known_defects import relevant
from lossproof.reference.catalogue import LOSSES
from lossproof.reporting import write_reports
from lossproof.running.selection import SelectionError, select, signatures
from lossproof.subjects.call import Call, Values
from lossproof.subjects.registry import default_subjects, find_subject
from lossproof.subjects.torch.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT, expression_of
from lossproof.subjects.torch.forms import has_function
from proofs.faults.catalogue import FAULTS


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(Path(__file__).parents[2] / "cases", signatures())


def asked(corpus: Corpus, cases: str) -> set[str]:
    checks = select(corpus, "", "", cases, "cpu").checks
    return {check.subject for check in checks if check.case.loss in EXPRESSIONS}


def test_exactly_what_torch_lacks_has_an_expression() -> None:
    lacking = {
        name for name, loss in LOSSES.items() if loss.functional is None and not hasattr(torch.nn, name)
    }
    assert set(EXPRESSIONS) == lacking


@pytest.mark.parametrize("loss", EXPRESSIONS)
@pytest.mark.parametrize("number", [None, 0.25])
def test_what_is_shown_is_what_is_judged(loss: str, number: float | None) -> None:
    params = {} if number is None else dict.fromkeys(LOSSES[loss].real_parameters, number)
    tensors = {name: torch.tensor(values) for name, values in ARGUMENTS[loss].items()}
    shown = eval(expression_of(loss, params), {"torch": torch}, tensors)
    values = {name: Values(tensor.double().numpy(), "float32") for name, tensor in tensors.items()}
    judged = find_subject(EXPRESSIONS_SUBJECT).run(Call(loss, params, values, None, "float32"))
    assert judged.value.tolist() == shown.tolist()


def test_parameters_are_shown_by_name() -> None:
    assert "(l1 * parameters.abs().sum() + l2 *" in expression_of("Objective")


def test_only_the_subject_of_expressions_and_the_reference_are_asked(corpus: Corpus) -> None:
    assert asked(corpus, "info-*,d000-*") == {"certified", EXPRESSIONS_SUBJECT, "reference"}


def test_it_is_asked_for_nothing_else(corpus: Corpus) -> None:
    assert EXPRESSIONS_SUBJECT in default_subjects()
    checks = select(corpus, EXPRESSIONS_SUBJECT, "", "mse-*,d001-*", "cpu").checks
    assert {check.subject for check in checks} == {"certified"}


def test_other_subjects_are_asked_for_all() -> None:
    assert all(find_subject("reference").is_asked(loss) for loss in LOSSES)


def test_an_identity_may_still_name_them(corpus: Corpus) -> None:
    """Cross entropy with probabilities is the cross entropy of two distributions."""
    case = "d000-7-cross-entropy-loss-is-the-cross-entropy-with-softmax"
    subjects = {check.subject for check in select(corpus, "", "", case, "cpu").checks}
    assert {"torch.nn", "torch.nn.functional"} <= subjects
    assert has_function("DistributionCrossEntropy")


def test_their_defects_are_those_of_the_expressions(corpus: Corpus) -> None:
    losses = {case.id: case.loss for case in corpus.cases}
    own = [entry for entry in corpus.known_defects if losses[entry.case] in EXPRESSIONS]
    assert own
    assert {entry.subject for entry in own} == {EXPRESSIONS_SUBJECT}
    version = find_subject(EXPRESSIONS_SUBJECT).version()
    assert not relevant(own, "torch.nn.functional", version, "cpu")


def test_faults_in_their_operations_are_hunted_there() -> None:
    subjects = {fault.subject for fault in FAULTS.values() if fault.loss in EXPRESSIONS}
    assert subjects == {EXPRESSIONS_SUBJECT}


def test_the_reports_show_the_expression(tmp_path: Path) -> None:
    record = replace(AGREES, loss="Entropy", subject=EXPRESSIONS_SUBJECT)
    write_reports(tmp_path, RUN, [result_of(AGREES, record)])
    shown = page_data(tmp_path / "report.html")["expressions"]
    assert shown == {"Entropy": "torch.special.entr(p).sum(-1)"}
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "- Entropy: <code>torch.special.entr(p).sum(-1)</code>" in text
    write_reports(tmp_path, RUN, [result_of(AGREES)])
    assert page_data(tmp_path / "report.html")["expressions"] == {}


def test_the_numbers_that_cases_state_are_no_subject(corpus: Corpus) -> None:
    with pytest.raises(SelectionError, match="numbers that cases state are proven in every run"):
        select(corpus, "certified", "", "", "cpu")
