"""``junit.xml``: the run, for continuous integration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from lossproof.records.outcome import FAILING, FOREIGN, Outcome
from lossproof.records.record import Record, Run, TestResult
from lossproof.reporting.text import count, share, visible

# Outcomes that pass but appear in the output of a test.
_REMARKABLE = (Outcome.KNOWN_DEFECT, *FOREIGN, Outcome.OVERFLOWED, Outcome.OTHER_CONVENTION)


def junit_xml(run: Run, results: Sequence[TestResult]) -> str:
    """Return the text of ``junit.xml``: a ``testcase`` per test, and a failed one per problem of the run."""
    suite = ElementTree.Element("testsuite", name="lossproof")
    properties = ElementTree.SubElement(suite, "properties")
    for package, version in run.versions.items():
        ElementTree.SubElement(properties, "property", name=visible(package), value=visible(version))
    for name, sentences in (("standing", run.standing), ("news", run.news)):
        for sentence in sentences:
            ElementTree.SubElement(properties, "property", name=name, value=visible(sentence))
    names: Counter[str] = Counter()
    for result in results:
        suite.append(_test(result, names))
    interrupted = [] if run.complete else ["The run was interrupted: results are missing."]
    for problem in [*run.problems, *interrupted]:
        case = _testcase(names, "lossproof.run", problem, 0.0)
        ElementTree.SubElement(case, "failure", message=visible(problem), type="run").text = visible(problem)
        suite.append(case)
    totals = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "time": f"{run.seconds:.3f}",
    }
    suite.attrib |= totals | {"timestamp": visible(run.started)}
    root = ElementTree.Element("testsuites", {"name": "lossproof"} | totals)
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _test(result: TestResult, names: Counter[str]) -> ElementTree.Element:
    loss = f"lossproof.{result.records[0].loss}" if result.records else "lossproof"
    case = _testcase(names, loss, result.id, result.seconds)
    case.attrib |= {"file": visible(result.file), "line": str(result.line)}
    failing = [record for record in result.records if record.outcome.is_failing]
    if failing:
        # One element per test, or readers would count the test twice; a disagreement outranks an error.
        type_ = next(outcome for outcome in FAILING if any(one.outcome == outcome for one in failing))
        kind = "error" if type_ == Outcome.ERROR else "failure"
        element = ElementTree.SubElement(case, kind, message=visible(_headline(failing)), type=type_)
        element.text = visible("\n\n".join(_failure_text(record) for record in failing))
    elif not result.records:
        message = "The test ended without a single check: it may have been interrupted."
        ElementTree.SubElement(case, "error", message=message, type="error")
    elif all(record.outcome == Outcome.UNSUPPORTED for record in result.records):
        reasons = dict.fromkeys(record.message for record in result.records if record.message)
        ElementTree.SubElement(case, "skipped", message=visible("; ".join(reasons) or "not supported"))
    if remarkable := [record for record in result.records if record.outcome in _REMARKABLE]:
        lines = [f"{record.outcome}: {_check(record)}: {record.message}" for record in remarkable]
        ElementTree.SubElement(case, "system-out").text = visible("\n".join(lines))
    return case


def _testcase(names: Counter[str], classname: str, name: str, seconds: float) -> ElementTree.Element:
    """Return an empty ``testcase`` with a unique name: readers merge equal names as reruns of one test."""
    names[name] += 1
    unique = name if names[name] == 1 else f"{name} ({names[name]})"
    attributes = {"classname": visible(classname), "name": visible(unique), "time": f"{seconds:.3f}"}
    return ElementTree.Element("testcase", attributes)


def _headline(failing: list[Record]) -> str:
    first = failing[0]
    more = f" (and {count(len(failing) - 1, 'more check', 'more checks')})" if len(failing) > 1 else ""
    return f"{_check(first)}: {first.message or first.outcome}{more}"


def _failure_text(record: Record) -> str:
    """Return a failing record as the reader of a log needs it."""
    lines = [f"{record.outcome}: {_check(record)}: {record.message}".rstrip(": "), record.title]
    if record.error_over_budget is not None:
        lines.append(f"error over budget: {share(record.error_over_budget)}")
    for part in ("expected", "observed", "snippet"):
        if text := (record.detail or {}).get(part):
            lines.append(f"{part}:\n{text}" if "\n" in text else f"{part}: {text}")
    return "\n".join([*lines, f"{record.file}:{record.line}"])


def _check(record: Record) -> str:
    facts = (record.subject_name, record.dtype, record.layout, record.reduction, record.quantity)
    return f"{record.case} [{', '.join(fact for fact in facts if fact)}]"
