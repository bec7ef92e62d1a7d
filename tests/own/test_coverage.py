"""The corpus knows every loss that the installed torch has, and the README tells of each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from readme import losses_table, with_table
from torch.nn.modules import loss as torch_losses

from lossproof.corpus.reading import Corpus, load_corpus
from lossproof.reference.catalogue import LOSSES

ROOT = Path(__file__).parents[2]
LEAST_CASES = 12

# Losses of torch that do not stand in the list of its loss modules.
ELSEWHERE = ("AdaptiveLogSoftmaxWithLoss", "CosineSimilarity", "PairwiseDistance")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(ROOT / "cases")


def test_every_loss_of_torch_is_known() -> None:
    missing = {*torch_losses.__all__, *ELSEWHERE} - set(LOSSES)
    assert not missing, f"torch {torch.__version__} has losses that the reference lacks: {sorted(missing)}"


def test_every_loss_of_torch_has_cases(corpus: Corpus) -> None:
    count = Counter(case.loss for case in corpus.cases)
    few = {loss: count[loss] for loss in (*torch_losses.__all__, *ELSEWHERE) if count[loss] < LEAST_CASES}
    assert not few


def test_every_functional_form_is_the_one_that_torch_has() -> None:
    for loss in LOSSES.values():
        assert loss.functional is None or hasattr(torch.nn.functional, loss.functional), loss.name


def test_every_loss_function_of_torch_is_a_functional_form() -> None:
    ours = {loss.functional for loss in LOSSES.values()}
    theirs = {name for name in dir(torch.nn.functional) if name.endswith("_loss") and name[0] != "_"}
    theirs |= {name for name in dir(torch.nn.functional) if "cross_entropy" in name} | {"kl_div"}
    assert theirs <= ours, sorted(theirs - ours)


def test_every_parameter_of_a_loss_is_varied_by_a_case(corpus: Corpus) -> None:
    varied = {(case.loss, name) for case in corpus.cases for name in case.params}
    for case in corpus.cases:
        for identity in (case.same_as, case.differs_from):
            terms = () if identity is None else identity.terms
            varied |= {(term.loss or case.loss, name) for term in terms for name in term.params}
    never = [(loss.name, name) for loss in LOSSES.values() for name in loss.parameters]
    assert not [pair for pair in never if pair not in varied]


def test_every_loss_has_a_bias_case(corpus: Corpus) -> None:
    assert not {*torch_losses.__all__} - {case.loss for case in corpus.cases if case.bias}


def test_the_readme_has_the_table_of_this_corpus(corpus: Corpus) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == with_table(readme, losses_table(corpus)), "run 'make readme'"


def test_a_readme_without_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        with_table("# lossproof\n", "| loss |\n")
