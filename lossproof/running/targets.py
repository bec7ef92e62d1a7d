"""The function that the options of a run name, as a subject."""

from __future__ import annotations

import ast
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lossproof.adapters.arrays import LIBRARIES
from lossproof.adapters.command import CommandSubject
from lossproof.adapters.features import ALL_FEATURES
from lossproof.adapters.statements import TableError
from lossproof.adapters.target import TargetError, TargetSubject
from lossproof.corpus.complaints import suggestion
from lossproof.corpus.files import guide
from lossproof.records.record import CERTIFIED
from lossproof.reference.catalogue import LOSSES, loss_name
from lossproof.running.mistakes import SelectionError
from lossproof.subjects.call import Refused
from lossproof.subjects.registry import known_subjects
from lossproof.subjects.subject import Subject

_OTHER_ARRAYS = ", or name the arrays that it takes: --arrays numpy"


@contextmanager
def quietly() -> Iterator[None]:
    """Our own rule that a warning is an error is for our own code: libraries warn when they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def target_subject(
    subject: str = "",
    loss: str = "",
    arrays: str = "",
    backward: str = "",
    fixed: str = "",
    lacks: str = "",
) -> Subject | None:
    """The function that is named on the command line, as a subject; None if none is named.

    Args:
        subject: the function, as ``package.module:name`` or ``path/to/file.py:name``.
        loss: the loss that it computes, by torch's name or that of its function.
        arrays: the library whose arrays it takes; empty means torch.
        backward: the function that computes its gradients; empty means autograd, if the library has it.
        fixed: comma-separated values of parameters that it does not take, such as ``reduction=none``.
        lacks: comma-separated names of features that it lacks.

    Raises:
        SelectionError: if any of these is wrong.
    """
    options = {"as": loss, "arrays": arrays, "backward": backward, "fixed": fixed, "lacks": lacks}
    if not subject:
        if superfluous := [name for name, value in options.items() if value]:
            raise SelectionError(f"--{superfluous[0]} is about a function; name it with --subject")
        return None
    if not loss:
        raise SelectionError(f"say which loss {subject} computes, such as --as CrossEntropyLoss")
    if (name := loss_name(loss)) is None:
        raise SelectionError(f"there is no loss '{loss}'; {suggestion(loss, LOSSES)}")
    library = arrays or "torch"
    if library not in LIBRARIES:
        raise SelectionError(f"there are no arrays of '{library}'; choose from {', '.join(LIBRARIES)}")
    if unknown := [name for name in split(lacks) if name not in ALL_FEATURES]:
        raise SelectionError(f"there is no feature '{unknown[0]}'; choose from {', '.join(ALL_FEATURES)}")
    values = _values(fixed)
    try:
        with quietly():
            return TargetSubject(subject, name, library, backward, values, split(lacks))
    except (TargetError, TableError) as mistake:
        raise SelectionError(str(mistake)) from None
    except ModuleNotFoundError as missing:
        others = "" if arrays or missing.name != "torch" else _OTHER_ARRAYS
        raise SelectionError(
            f"{subject} needs {missing.name}, which is not installed; install it{others}"
        ) from missing
    except Exception as error:  # whatever somebody else's code may raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error}, raised in {place.filename}:{place.lineno}"
        raise SelectionError(f"{subject} cannot be imported ({reason})") from error


def command_subject(command: str = "", check_messages: str = "") -> Subject | None:
    """The program that is named on the command line, as a subject; None if none is named.

    Args:
        command: the program and its arguments.
        check_messages: whether lossproof's own messages are checked; empty means not.

    Raises:
        SelectionError: if the program does not say what it is.
    """
    if not command:
        if check_messages:
            raise SelectionError("--check-messages is about a program; name it with --command")
        return None
    try:
        subject = CommandSubject(command, checks_messages=bool(check_messages))
    except ValueError as error:
        raise SelectionError(f"--command '{command}' cannot be read ({error}); mend its quotes") from None
    except Refused as problem:
        remedy = f"{guide('any-language.md')} says what a runner answers"
        raise SelectionError(f"the runner '{command}' did not say what it is: {problem}; {remedy}") from None
    # Each process that examines trials starts a runner of its own.
    subject.close()
    if subject.name in (*known_subjects(), CERTIFIED):
        raise SelectionError(
            f"the runner '{command}' calls itself {subject.name}, a name that is taken; rename it"
        )
    return subject


def _values(text: str) -> dict[str, object]:
    """Values of parameters, such as ``reduction=none, margin=0.5``, as Python's where they are."""
    values: dict[str, object] = {}
    for part in split(text):
        name, sign, value = map(str.strip, part.partition("="))
        if not sign or not name:
            raise SelectionError(f"'{part}' fixes no parameter; write name=value, such as reduction=none")
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[name] = value
    return values


def split(text: str) -> list[str]:
    """The parts of a comma-separated option."""
    return [part.strip() for part in text.split(",") if part.strip()]
