"""A call that the user types: options with torch's names, and values as in a case file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lossproof.command_line.terminal import Mistake
from lossproof.corpus.call_reading import read_args, read_params
from lossproof.corpus.case import Parameter
from lossproof.corpus.complaints import Notes, Place, suggestion
from lossproof.corpus.keys import COMMON_PARAMETERS
from lossproof.corpus.nodes import Entry, MappingNode, Node, parse_tree
from lossproof.corpus.tensors import Tensor
from lossproof.corpus.upstreams import read_upstream
from lossproof.reference.loss import Loss

_HERE = Place(1, 1)
_UPSTREAM = "upstream"


@dataclass(frozen=True)
class TypedCall:
    """A typed call of a loss, read like the call of a case.

    ``reduction`` and ``upstream``, the upstream gradient, are None if none was typed; ``others`` holds the
    texts of further options.
    """

    loss: Loss
    params: Mapping[str, Parameter]
    args: Mapping[str, Tensor]
    upstream: Tensor | None
    reduction: str | None
    others: Mapping[str, str]


def read_call(
    loss: Loss, tokens: Sequence[str], others: Sequence[str] = (), elsewhere: Sequence[str] = ()
) -> TypedCall:
    """The call that is typed after the loss, as ``--name value`` or ``--name=value``.

    The texts of options in ``others`` are returned unread. Those that are read ``elsewhere`` are proposed
    where one is misspelt. A Mistake has a line for each complaint.
    """
    texts = _options(tokens)
    known = (*loss.arguments, *loss.parameters, *(COMMON_PARAMETERS if loss.reductions else ()), _UPSTREAM)
    complaints = [
        f"{loss.name} has no option '--{name}'; {suggestion(name, (*known, *others, *elsewhere), '--')}"
        for name in texts
        if name not in known and name not in others
    ]
    missing = [name for name in loss.arguments if name not in texts]
    if missing:
        complaints.append(
            f"{loss.name} needs {' and '.join(f'--{name}' for name in missing)}; {_usage(loss)}"
        )
    trees = {name: _tree(name, text, complaints) for name, text in texts.items() if name in known}
    reduction = _reduction(loss, texts.get("reduction"), complaints)
    trees.pop("reduction", None)
    upstream_tree = trees.pop(_UPSTREAM, None)
    if complaints:
        raise Mistake("\n".join(complaints))
    notes = Notes("")
    args = read_args(_node(trees, loss.arguments), "args", loss, notes, False)
    parameters = [name for name in trees if name not in loss.arguments]
    params = read_params(_node(trees, parameters), "params", loss, notes, False) if parameters else {}
    upstream = None if upstream_tree is None else read_upstream(upstream_tree, notes)
    if len(notes):
        raise Mistake("\n".join(f"{one.problem}; {one.remedy}" for one in notes.complaints()))
    copied = {name: texts[name] for name in others if name in texts}
    return TypedCall(loss, params, args, upstream, reduction, copied)


def _options(tokens: Sequence[str]) -> dict[str, str]:
    """Names and texts of options; torch's underscores may be typed as hyphens."""
    texts: dict[str, str] = {}
    queue = list(tokens)
    while queue:
        token = queue.pop(0)
        name, equals, text = token.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if not token.startswith("--") or not name:
            raise Mistake(f"'{token}' follows no option; write values after a name, like --input '[1, 2]'")
        if not equals:
            if not queue or queue[0].startswith("--"):
                raise Mistake(f"--{name} lacks its value; write it like --{name} '[1, 2]' or --{name} true")
            text = queue.pop(0)
        if name in texts:
            raise Mistake(f"--{name} appears twice; keep one of them")
        texts[name] = text
    return texts


def _tree(name: str, text: str, complaints: list[str]) -> Node:
    notes = Notes(f"--{name}")
    node = parse_tree(text, notes)
    complaints += [f"--{name}: {one.problem}; {one.remedy}" for one in notes.complaints()]
    return node


def _node(trees: Mapping[str, Node], names: Sequence[str]) -> MappingNode:
    return MappingNode({name: Entry(_HERE, trees[name]) for name in names}, _HERE)


def _reduction(loss: Loss, text: str | None, complaints: list[str]) -> str | None:
    if text is not None and loss.reductions and text not in loss.reductions:
        complaints.append(f"{loss.name} has no reduction '{text}'; {suggestion(text, loss.reductions)}")
    return text


def _usage(loss: Loss) -> str:
    optional = ", ".join(f"--{name}" for name in loss.parameters)
    return f"it also takes {optional}" if optional else "it takes nothing else"
