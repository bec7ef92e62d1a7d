"""The detectors for the mutants of a module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proofs.mutants.detectors import ROOT, CaseDetector, Detector, FaultDetector, TestsDetector

_STAYING = ("lossproof.corpus", "lossproof.numbers")
# These hold the option types of the reference with which they were loaded.
_READING = tuple(
    f"lossproof.corpus.{name}"
    for name in ("call_reading", "case_reading", "defects", "lint", "picks", "reading", "results")
)
# The number of cases of a loss that only uses the module.
_CASES_OF_OTHERS = 15
# Where the cases of a loss run; a subject may lack the loss.
_PLACES = (
    ("torch.nn.functional", "float64"),
    ("torch-expressions", "float64"),
    ("reference", "float64"),
    ("torch.nn", "float32"),
)

_SLOW_TESTS = (
    "test_truth.py",
    "test_modes.py",
    "test_mode_faults.py",
    "test_reference_gradients.py",
    "test_claims.py",
    "test_isolated.py",
    "test_snippets.py",
)
# Tests for every module of the reference.
_REFERENCE_TESTS = (
    "test_reference.py",
    "test_kinds_of_refusals.py",
    "test_steps.py",
    "test_defaults.py",
    "test_limits.py",
    "test_advice.py",
    "test_reductions.py",
    "test_refusals.py",
    "test_sharp_budgets.py",
    "test_torch_state.py",
)
_JUDGING_TESTS = (
    "test_verdict.py",
    "test_verdict_details.py",
    "test_choices.py",
    "test_truth_details.py",
    "test_stored_truth.py",
    "test_content_store.py",
    "test_code_digest.py",
    "test_excuses.py",
    "test_excused_numbers.py",
    "test_number_text.py",
    "test_other_computations.py",
    "test_without_infinities.py",
    "test_calls.py",
    "test_derivatives.py",
    "test_second_derivatives.py",
    "test_grading.py",
    "test_details.py",
    "test_assertions.py",
    "test_examination.py",
    "test_behaviour.py",
    "test_layouts.py",
    "test_identities.py",
    "test_examination_details.py",
    "test_what_came_out.py",
    "test_backward.py",
    "test_changed_conventions.py",
    "test_illustrations.py",
    "test_curves.py",
    "test_snippets.py",
    "test_mode_verdicts.py",
    "test_mode_derivatives.py",
    "test_mode_programs.py",
    "test_recorder.py",
    "test_known_defects.py",
    "test_defect_observations.py",
    "test_printed.py",
    "test_certification.py",
    "test_repeats.py",
    "test_conventions.py",
    "test_ctc.py",
    "test_complex.py",
    "test_isolated.py",
    "test_modes.py",
    "test_mode_faults.py",
    "test_truth.py",
    "test_claims.py",
    "test_json_lines.py",
    "test_junit.py",
    "test_summary_lines.py",
)


@dataclass(frozen=True)
class Surroundings:
    """What all children share.

    Attributes:
        corpus: all cases.
        losses: reference module -> the losses that use it.
        defined: reference module -> the losses that it defines.
        conventional: the losses that leave something open.
        random: the losses for which test_truth.py draws numbers.
        faults: planted faults, each with a case that is known to catch it.
    """

    corpus: Any
    losses: Mapping[str, tuple[str, ...]]
    defined: Mapping[str, tuple[str, ...]]
    conventional: frozenset[str]
    random: frozenset[str]
    faults: tuple[FaultDetector, ...]


def load() -> Surroundings:
    """Read the corpus, the reference and the catalogue of faults; then unload the latter two."""
    from lossproof.corpus.reading import load_corpus
    from lossproof.reference import catalogue
    from proofs.faults.catalogue import FAULTS

    corpus = load_corpus(ROOT / "cases")
    losses: dict[str, tuple[str, ...]] = {}
    defined = {family.__name__: tuple(loss.name for loss in family.LOSSES) for family in catalogue._FAMILIES}
    for family, names in defined.items():
        for module in _below(family):
            losses[module] = losses.get(module, ()) + names
    conventional = frozenset(name for name, loss in catalogue.LOSSES.items() if loss.conventions)
    surroundings = Surroundings(
        corpus, losses, defined, conventional, _random_losses(), tuple(_fault_checks(corpus, FAULTS.values()))
    )
    for name in [name for name in sys.modules if name.startswith(("lossproof", "proofs.faults"))]:
        if not name.startswith(_STAYING) or name in _READING:
            del sys.modules[name]
    return surroundings


def schedule(surroundings: Surroundings, file: str, is_quick: bool) -> list[Detector]:
    """The detectors for the mutants of a module; most of them are quick."""
    module = file.removesuffix(".py").replace("/", ".")
    is_judging = not file.startswith("lossproof/reference/")
    detectors = _judging(surroundings) if is_judging else _reference(surroundings, module, is_quick)
    return [detector for detector in detectors if not (is_quick and detector.name.startswith(_SLOW_TESTS))]


def _reference(surroundings: Surroundings, module: str, is_quick: bool) -> Iterator[Detector]:
    everything = tuple(dict.fromkeys(case.loss for case in surroundings.corpus.cases))
    losses = surroundings.losses.get(module, everything)
    defined = surroundings.defined.get(module, ())
    for loss in losses:
        cases = [case for case in surroundings.corpus.cases if case.loss == loss and not case.own_process]
        if is_quick and loss not in defined:
            cases = sorted(cases, key=_size)[:_CASES_OF_OTHERS]
        for case in cases:
            if case.module is not None:
                yield CaseDetector(case.id, "torch.nn")
                continue
            if case.expect or case.gradient or case.erratum:
                yield CaseDetector(case.id)
            for subject, dtype in _PLACES:
                if dtype in case.dtypes:
                    yield CaseDetector(case.id, subject, dtype)
    yield from map(TestsDetector, _REFERENCE_TESTS)
    if module.endswith(".worked"):
        yield TestsDetector("test_worked.py")
        yield TestsDetector("test_illustrations.py")
    if "TripletMarginWithDistanceLoss" in losses:
        yield TestsDetector("test_named_distances.py")
    yield TestsDetector("test_reference_gradients.py", " or ".join(defined or losses))
    yield TestsDetector("test_promotion.py", " or ".join(defined or losses))
    if random := [loss for loss in defined or losses if loss in surroundings.random]:
        yield TestsDetector("test_truth.py", " or ".join(random))
    if "L1Loss" in losses:
        yield TestsDetector("test_complex.py")
    if "CTCLoss" in losses:
        yield TestsDetector("test_ctc.py")
    if surroundings.conventional & set(losses):
        yield TestsDetector("test_conventions.py")


def _judging(surroundings: Surroundings) -> Iterator[Detector]:
    yield from map(TestsDetector, _JUDGING_TESTS)
    yield from surroundings.faults
    for case in _specimens(surroundings.corpus):
        if case.module is not None:
            yield CaseDetector(case.id, "torch.nn")
            continue
        yield CaseDetector(case.id)
        yield CaseDetector(case.id, "reference", "float64")
        for dtype in ("float64", "float32", "bfloat16"):
            if dtype in case.dtypes:
                yield CaseDetector(case.id, "torch.nn", dtype, with_modes=True)


def _specimens(corpus: Any) -> list[Any]:
    """Small cases of every kind: one with each feature, and one of each loss."""
    chosen: dict[str, Any] = {}
    covered: set[str] = set()
    defective = {entry.case for entry in corpus.known_defects}
    # A child of a child hangs where torch started threads; test_isolated.py is about those cases.
    for case in sorted((case for case in corpus.cases if not case.own_process), key=_size):
        names = ("raises", "warns", "same_as", "differs_from", "erratum", "drifted", "bias", "gradient")
        features = {name for name in names if getattr(case, name)} | {case.loss}
        features |= {"repeats"} if case.repeats > 1 else set()
        features |= {case.module.aspect} if case.module is not None else set()
        features |= {"defect"} if case.id in defective else set()
        if not features <= covered:
            chosen[case.id] = case
            covered |= features
    return list(chosen.values())


def _random_losses() -> frozenset[str]:
    tree = ast.parse((ROOT / "tests/own/judging/test_truth.py").read_text())
    assigned = {ast.unparse(node.target): node.value for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert isinstance(assigned["CALLS"], ast.List)
    return frozenset(ast.literal_eval(call)[0] for call in assigned["CALLS"].elts)


def _fault_checks(corpus: Any, faults: Any) -> Iterator[FaultDetector]:
    """For each loss a fault, and one that only modes show, each with the smallest case that catches it."""
    chosen: set[tuple[str, bool]] = set()
    for fault in faults:
        cases = [case for case in corpus.cases if fault.id in case.kills and not case.own_process]
        place = (fault.loss, fault.shows_in_modes)
        if cases and place not in chosen:
            chosen.add(place)
            yield FaultDetector(fault.id, min(cases, key=_size).id)


def _size(case: Any) -> int:
    """A rough measure of the work that a case takes."""
    return len(repr(case.args)) + 100_000 * ("shape" in repr(case.args)) + 10_000 * bool(case.bias)


def _below(module: str) -> set[str]:
    """A module of the reference, and all others that it imports, directly or indirectly."""
    modules, waiting = set(), [module]
    while waiting:
        module = waiting.pop()
        if module in modules:
            continue
        modules.add(module)
        tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting += [name for name in imported if name.startswith("lossproof.reference.")]
    return modules
