"""The command ``lossproof``: its verbs, their options and their help.

A verb imports its modules when it runs, so that help and completion answer at once.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from lossproof.command_line.entry import INTERRUPTED, interruptible
from lossproof.command_line.streams import open_closed_streams, status_of
from lossproof.running.options import described

Parameters = ParamSpec("Parameters")

KINDS = ("cases", "losses", "subjects", "flags", "dtypes", "conventions")

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    name="lossproof",
    help="A conformance suite for loss functions: run it, ask it, write cases for it.",
    no_args_is_help=True,
    # Boxes and colours are for people; a pipe gets plain lines.
    rich_markup_mode="rich" if sys.stdout is not None and sys.stdout.isatty() else None,
    pretty_exceptions_enable=False,
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for titles that a terminal cannot show
    return status_of(lambda: app(args=arguments, prog_name="lossproof"))


def _verb(
    name: str, passed_on: bool = False, more_help: str = ""
) -> Callable[[Callable[Parameters, int | None]], Callable[Parameters, None]]:
    """Make a function a verb. It may return an exit status, which is 2 after a mistake of the user."""
    # After a \b, click keeps lines as they are.
    epilog = f"\b\n{more_help}" if more_help else None

    def register(work: Callable[Parameters, int | None]) -> Callable[Parameters, None]:
        @functools.wraps(work)
        def answer(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
            from lossproof.command_line.terminal import Mistake, complain
            from lossproof.corpus.complaints import CorpusError
            from lossproof.numbers.ball import Undecided

            try:
                with interruptible():
                    status = work(*args, **kwargs)
            except (Mistake, CorpusError) as mistake:
                complain(str(mistake))
                status = 2
            except Undecided as undecided:
                complain(f"No precision certifies this: {undecided}; try other numbers or fewer digits.")
                status = 2
            except KeyboardInterrupt:
                complain("Interrupted.")
                status = INTERRUPTED
            raise typer.Exit(status or 0)

        settings = _PASSED_ON if passed_on else None
        return app.command(name, context_settings=settings, epilog=epilog)(answer)

    return register


def _kinds_that_begin(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def _dtypes_that_begin(incomplete: str) -> list[str]:
    from lossproof.numbers.formats import FORMATS

    return [dtype for dtype in FORMATS if dtype.startswith(incomplete)]


def _cases_that_begin(incomplete: str) -> list[str]:
    from lossproof.command_line.corpus import complete_case

    return complete_case(incomplete)


def _losses_that_begin(incomplete: str) -> list[str]:
    from lossproof.reference.catalogue import LOSSES

    return [name for name in LOSSES if name.startswith(incomplete)]


CorpusOption = Annotated[
    Path | None,
    typer.Option("--corpus", metavar="FOLDER", help="The folder of case files, if not the suite's own."),
]
CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="The id of a case.", autocompletion=_cases_that_begin)
]
LossArgument = Annotated[
    str,
    typer.Argument(
        metavar="LOSS",
        help="A loss as torch names it: CrossEntropyLoss or F.cross_entropy.",
        autocompletion=_losses_that_begin,
    ),
]


@_verb("verify", passed_on=True, more_help=described())
def verify(context: typer.Context) -> int:
    """Run the suite and write its reports.

    Takes the options below, and every option of pytest.
    Ends with 0 if everything conforms, 1 if not, 2 for a mistake in a case file or an option.
    """
    from lossproof.command_line.verifying import verify

    return verify(context.args)


@_verb("init", passed_on=True, more_help=described())
def init(context: typer.Context) -> int:
    """Run the suite on your implementation, and write lossproof.toml from it.

    Takes the options of verify: name what is yours with --subject, --subjects or --command. The failures
    become known defects, to be worked off.
    """
    from lossproof.command_line.initializing import init

    return init(context.args)


@_verb("list")
def list_things(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="[KIND]", help=f"One of {', '.join(KINDS)}.", autocompletion=_kinds_that_begin
        ),
    ] = KINDS[0],
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATTERN]", help="A shell pattern of names ('ce-*'), or a part of them ('weight')."
        ),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="Only of this loss.", autocompletion=_losses_that_begin)
    ] = None,
    flag: Annotated[str | None, typer.Option(help="Only cases that look for this flag's mistake.")] = None,
    document: Annotated[
        str | None, typer.Option(help="Only cases from documents with this prefix (002).")
    ] = None,
    corpus: CorpusOption = None,
) -> None:
    """List cases, losses, subjects, flags, dtypes, conventions.

    Without KIND it lists cases: lossproof list 'ce-*'.
    """
    from lossproof.command_line.listing import list_things

    if kind not in KINDS and pattern is None:
        kind, pattern = KINDS[0], kind
    list_things(kind, pattern, loss, flag, document, corpus)


@_verb("show")
def show(case: CaseArgument, corpus: CorpusOption = None) -> None:
    """Show a case: inputs, proven values, budgets, steps."""
    from lossproof.command_line.showing import show

    show(case, corpus)


@_verb("explain")
def explain(
    case: CaseArgument,
    reduction: Annotated[str | None, typer.Option(help="The reduction, if the case has several.")] = None,
    corpus: CorpusOption = None,
) -> None:
    """Explain a case: the formula, every step with its numbers."""
    from lossproof.command_line.showing import explain

    explain(case, reduction, corpus)


@_verb("run", passed_on=True)
def run(
    context: typer.Context,
    loss: LossArgument,
    dtype: Annotated[
        str,
        typer.Option(
            help="What to compute in, or 'all'; see 'list dtypes'.", autocompletion=_dtypes_that_begin
        ),
    ] = "float32",
    steps: Annotated[bool, typer.Option("--steps", help="Also show the worked steps.")] = False,
    snippet: Annotated[
        bool, typer.Option("--snippet", help="Also write a program of torch that makes the call.")
    ] = False,
) -> int:
    """Run a loss on numbers typed in, with torch beside the truth.

    Writes the value and the gradients, proven digits first. Arguments and parameters are options with torch's
    names; their values are written as in a case file:
    lossproof run CrossEntropyLoss --input '[[1, 2], [3, 4]]' --target '[0, 1]' --reduction sum.
    Softmax's parameter dtype cannot be typed, since --dtype is that of its input.
    Ends with 0 if torch agrees, 1 if not, 2 for a mistake.
    """
    from lossproof.command_line.running import run

    return 0 if run(loss, context.args, dtype, steps, snippet) else 1


@_verb("new", passed_on=True)
def new(
    context: typer.Context,
    loss: LossArgument,
    id: Annotated[str, typer.Option(help="The id of the case: small letters, digits, single hyphens.")],
    title: Annotated[str, typer.Option(help="A sentence on what the case shows.")],
    file: Annotated[Path | None, typer.Option(help="The case file to add it to; else it is printed.")] = None,
    digits: Annotated[int, typer.Option(min=2, max=40, help="How many digits to fill in.")] = 10,
    gradient: Annotated[bool, typer.Option("--gradient", help="Also fill in the gradients.")] = False,
    kills: Annotated[
        bool, typer.Option("--kills", help="Also try which planted faults it catches; in a checkout only.")
    ] = False,
    corpus: CorpusOption = None,
) -> None:
    """Make a case from numbers typed in.

    Its results are filled in with certified digits.

    Arguments and parameters are options as for 'run'; other keys of a case (--flags, --source, --dtypes,
    ...) are copied as typed. verify finds the case if its file lies below cases/, or below the folder that
    --corpus names.
    """
    from lossproof.command_line.creating import new

    new(loss, context.args, id, title, file, digits, gradient, kills, corpus)


@_verb("check")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Case files.")],
    corpus: CorpusOption = None,
) -> int:
    """Check case files: every complaint, one per line.

    Ends with 2 if there is any.
    """
    from lossproof.command_line.checking import check

    return 0 if check(files, corpus) else 2


@_verb("export")
def export(
    output: Annotated[Path | None, typer.Option(help="The file to write (default: stdout).")] = None,
    truth: Annotated[
        bool, typer.Option("--truth", help="Each call with its true results and budgets instead.")
    ] = False,
    cases: Annotated[str, typer.Option(help="With --truth: comma-separated shell patterns of cases.")] = "",
    losses: Annotated[str, typer.Option(help="With --truth: only of these, comma-separated.")] = "",
    dtypes: Annotated[str, typer.Option(help="With --truth: only in these, comma-separated.")] = "",
    corpus: CorpusOption = None,
) -> None:
    """Export the corpus as JSON for other languages.

    Numbers are exact decimals and bits: docs/corpus-format.md. With --truth, what is written is enough to
    judge an implementation without lossproof: docs/INTERPRETING.md.
    """
    from lossproof.command_line.exporting import corpus_text, write_text
    from lossproof.command_line.exporting_truth import truth_text

    write_text(output, truth_text(corpus, cases, losses, dtypes) if truth else corpus_text(corpus))


@_verb("merge")
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="The reports of each shard.")],
    reports: Annotated[Path, typer.Option(help="The folder of the merged reports.")] = Path("reports"),
    baseline: Annotated[Path | None, typer.Option(help="Another run to compare with.")] = None,
    corpus: CorpusOption = None,
) -> int:
    """Merge the reports of all shards of a run.

    A shard is a run with --shard K/N. The result is the same as that of one run of everything.
    Ends with 0 if everything conforms, 1 if not, 2 if a shard is missing or of another run.
    """
    from lossproof.command_line.merging import merge

    return 0 if merge(folders, reports, baseline, corpus) else 1


@_verb("compare")
def compare(
    old: Annotated[Path, typer.Argument(help="A results.jsonl, or a folder of reports that holds one.")],
    new: Annotated[Path, typer.Argument(help="The one to compare with it.")],
) -> int:
    """Compare two runs: what changed, what got worse.

    Covers outcomes, accuracy, new checks and missing ones.
    Ends with 0 if nothing got worse, 1 if something did, 2 for a file that cannot be read.
    """
    from lossproof.command_line.comparing import compare

    return 0 if compare(old, new) else 1
