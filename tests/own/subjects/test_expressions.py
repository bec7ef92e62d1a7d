"""What torch has no loss for is judged as what it is: an expression, by a subject of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from loss_arguments import ARGUMENTS
from page_reader import page_data
from report_specimens import AGREES, RUN, result_of
from repository import whole_corpus

from lossproof.judging.known_defects import relevant
from lossproof.reference.catalogue import LOSSES
from lossproof.reporting.writing import write_reports
from lossproof.running.collection import RunReports
from lossproof.running.selection import select
from lossproof.subjects.call import Call, Values
from lossproof.subjects.registry import default_subjects, find_subject
from lossproof.subjects.torch.expressions import EXPRESSIONS, EXPRESSIONS_SUBJECT, expression_of
from lossproof.subjects.torch.forms import has_function
from proofs.faults.catalogue import FAULTS


def asked(cases: str) -> set[str | None]:
    checks = select(whole_corpus(), "", "", cases, "cpu").trials
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


def test_only_the_subject_of_expressions_and_the_reference_are_asked() -> None:
    assert asked("info-*,d000-*") == {None, EXPRESSIONS_SUBJECT, "reference"}


def test_it_is_asked_for_nothing_else() -> None:
    assert EXPRESSIONS_SUBJECT in default_subjects()
    checks = select(whole_corpus(), EXPRESSIONS_SUBJECT, "", "mse-*,d001-*", "cpu").trials
    assert {check.subject for check in checks} == {None}


def test_other_subjects_are_asked_for_all() -> None:
    assert all(find_subject("reference").has_loss(loss) for loss in LOSSES)


def test_an_identity_may_still_name_them() -> None:
    """Cross entropy with probabilities is the cross entropy of two distributions."""
    case = "d000-7-cross-entropy-loss-is-the-cross-entropy-with-softmax"
    subjects = {check.subject for check in select(whole_corpus(), "", "", case, "cpu").trials}
    assert {"torch.nn", "torch.nn.functional"} <= subjects
    assert has_function("DistributionCrossEntropy")


def test_their_defects_are_those_of_the_expressions() -> None:
    losses = {case.id: case.loss for case in whole_corpus().cases}
    own = [entry for entry in whole_corpus().known_defects if losses[entry.case] in EXPRESSIONS]
    assert own
    assert {entry.subject for entry in own} == {EXPRESSIONS_SUBJECT}
    version = find_subject(EXPRESSIONS_SUBJECT).version()
    assert not relevant(own, "torch.nn.functional", version, "cpu")


def test_faults_in_their_operations_are_hunted_there() -> None:
    subjects = {fault.subject for fault in FAULTS.values() if fault.loss in EXPRESSIONS}
    assert subjects == {EXPRESSIONS_SUBJECT}


def test_the_reports_show_the_expression(tmp_path: Path) -> None:
    record = replace(AGREES, loss="Entropy", subject=EXPRESSIONS_SUBJECT)
    run = replace(RUN, stand_ins={"Entropy": "torch.special.entr(p).sum(-1)"})
    write_reports(tmp_path, run, [result_of(AGREES, record)])
    assert page_data(tmp_path / "report.html")["run"]["stand_ins"] == run.stand_ins
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "- Entropy: <code>torch.special.entr(p).sum(-1)</code>" in text
    write_reports(tmp_path, RUN, [result_of(AGREES)])
    assert "expression of its operations" not in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_a_run_tells_the_expressions_that_it_judged(tmp_path: Path) -> None:
    for subjects, told in (("", {"Entropy"}), ("reference", set())):
        selection = select(whole_corpus(), subjects, "", "info-entropy-*,mse-*", "cpu")
        assert RunReports(tmp_path, whole_corpus(), selection, {}).run.stand_ins.keys() == told
