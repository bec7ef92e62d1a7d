"""``init``: a first ``lossproof.toml`` for an implementer's project, from a first run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lossproof.command_line.project_text import project_text
from lossproof.command_line.terminal import Mistake, say
from lossproof.command_line.verifying import verify
from lossproof.command_line.written_file import write_file
from lossproof.corpus.project_file import PROJECT_FILE
from lossproof.reporting.jsonl import read_results
from lossproof.reporting.text import count
from lossproof.running.options import NAMING

_WORKFLOW = Path(".github/workflows/lossproof.yml")
_WORKFLOW_TEXT = """\
name: lossproof

on: [push, pull_request]

permissions:
  contents: read

jobs:
  conformance:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
{steps}
      - run: lossproof verify
      - run: cat reports/summary.md >> "$GITHUB_STEP_SUMMARY"
        if: ${{{{ always() && hashFiles('reports/summary.md') != '' }}}}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: lossproof-reports
          path: reports/
"""
_OWN_PACKAGE = "      # Install your own package here, if the subject of lossproof.toml is part of one."


def init(options: Sequence[str]) -> int:
    """Run ``verify`` with these options, write the file and a workflow, and return the exit status.

    Raises:
        Mistake: if no subject is named, if there is a file already, or if the run left no results.
    """
    path = Path(PROJECT_FILE)
    if path.exists():
        raise Mistake(f"{path} is there already; edit it, or remove it to begin anew")
    if not any(option.partition("=")[0] in NAMING for option in options):
        raise Mistake("say what is yours, with --subject, --subjects or --command")
    reports = _folder_of(options)
    results = reports / "results.jsonl"
    before = results.stat().st_mtime_ns if results.exists() else None
    status = verify(options)
    if status > 128:  # a signal has ended it
        return status
    if status not in (0, 1) or not results.exists() or results.stat().st_mtime_ns == before:
        raise Mistake(f"the run left no results, so that there is nothing to write {path} from")
    run, records = read_results(results)
    text = project_text(run["options"], records)
    write_file(path, text.encode())
    entries = text.count("\n[[defects]]")
    say()
    say(f"{path}: the options of this run, and {count(entries, 'failure')} to work off, as known defects")
    if _WORKFLOW.exists():
        say(f"{_WORKFLOW} is there already, and stays as it is")
        return 0
    try:
        _WORKFLOW.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{path} is written, but the folder {_WORKFLOW.parent} cannot be made ({error.strerror})"
        raise Mistake(f"{problem}; clear its way, remove {path}, and run init again") from error
    write_file(_WORKFLOW, workflow_text(run["options"], run["tested"]).encode())
    say(f"{_WORKFLOW}: the same run, for GitHub")
    say("From now on, 'lossproof verify' reads the file.")
    return 0


def workflow_text(options: Mapping[str, str], tested: Collection[str]) -> str:
    """The text of a workflow that installs what a run needs.

    Args:
        options: those of the run.
        tested: the packages that its subjects consist of.
    """
    # A subject that goes by a name is registered by the package that it is part of.
    own = "      - run: pip install ." if options.get("subjects") else _OWN_PACKAGE
    requirement = "'lossproof[torch]'" if "torch" in tested else "lossproof"
    return _WORKFLOW_TEXT.format(steps=f"{own}\n      - run: pip install {requirement}")


def _folder_of(options: Sequence[str]) -> Path:
    """The folder of the reports of a run."""
    for place, option in enumerate(options):
        if option.startswith("--reports="):
            return Path(option.partition("=")[2])
        if option == "--reports" and place + 1 < len(options):
            return Path(options[place + 1])
    return Path("reports")
