"""Reads a file of cases: from its tree to ``Case`` objects."""

from __future__ import annotations

import re

from lossproof.corpus import sections
from lossproof.corpus.call_reading import read_args, read_params
from lossproof.corpus.case import Case, Document, Flag
from lossproof.corpus.complaints import Notes
from lossproof.corpus.fields import Fields, read_fields, read_matching
from lossproof.corpus.keys import CASE, ERRATUM_NUMBERS, EXCLUDED, FILE, REDUCTIONS
from lossproof.corpus.lint import lint_rounding
from lossproof.corpus.nodes import ListNode, MappingNode, Node, ScalarNode
from lossproof.corpus.results import Context, read_erratum, read_expect, read_gradient, read_identity
from lossproof.corpus.upstreams import lint_upstream, read_upstream
from lossproof.numbers.formats import DEFAULT_DTYPES, FORMATS
from lossproof.reference.catalogue import LOSSES

_SLUG = re.compile(r"(?=.{1,80}$)[a-z0-9]+(?:-[a-z0-9]+)*")
_SLUG_REMEDY = "write small letters and digits joined by single hyphens, at most 80 characters"


def read_cases(root: Node, notes: Notes) -> list[Case]:
    """The cases of one file."""
    fields = read_fields(root, "the file", FILE, notes)
    mark_sections(fields, "cases", "id", notes)
    loss = fields.word("loss", LOSSES) if "loss" in fields else None
    flags = sections.read_flags(fields["flags"], notes) if "flags" in fields else {}
    reader = _CaseReader(loss, flags, notes)
    cases = [reader.read(item) for item in fields.items("cases")]
    used_flags = {flag.name for case in cases for flag in case.flags}
    for name in flags:
        if name not in used_flags:
            problem = f"no case of this file uses the flag '{name}'"
            notes.add(fields["flags"].place, problem, "remove it or name it in a case's 'flags'")
    return cases


def read_file_document(root: Node, notes: Notes) -> Document | None:
    """The document that the file describes, if any."""
    entry = root.entries.get("document") if isinstance(root, MappingNode) else None
    return sections.read_document(entry.value, notes) if entry else None


def mark_sections(fields: Fields, key: str, id_key: str, notes: Notes) -> None:
    """Give ``notes`` the place of each item of the list under ``key``, and its name under ``id_key``."""
    notes.sections.extend((fields.place_of(name), None) for name in fields)
    items = fields[key]
    for item in items.items if isinstance(items, ListNode) else ():
        entry = item.entries.get(id_key) if isinstance(item, MappingNode) else None
        name = entry.value if entry is not None else None
        notes.sections.append((item.place, name.text if isinstance(name, ScalarNode) else None))


class _CaseReader:
    """Reads the cases of a file that may name a loss and flags for all of them."""

    def __init__(self, loss: str | None, flags: dict[str, Flag], notes: Notes) -> None:
        self._loss = loss
        self._flags = flags
        self._notes = notes

    def read(self, node: Node) -> Case:
        """One case."""
        notes = self._notes
        before = len(notes)
        fields = read_fields(node, "the case", CASE, notes)
        for key, excluded in EXCLUDED.items():
            for other in excluded:
                if key in fields and other in fields:
                    problem = f"a case with '{key}' cannot have '{other}'"
                    fields.complain(other, problem, f"remove '{other}'")
        case = self._assemble(fields)
        if len(notes) == before and case.loss in LOSSES:
            for complaint in lint_rounding(case):
                fields.complain("id", complaint.problem, complaint.remedy)
            for complaint in lint_upstream(case):
                fields.complain("upstream", complaint.problem, complaint.remedy)
        return case

    def _assemble(self, fields: Fields) -> Case:
        notes = self._notes
        name = self._loss_of(fields)
        loss = LOSSES.get(name)
        raises = "raises" in fields
        before = len(notes)
        params = read_params(fields["params"], "params", loss, notes, raises) if "params" in fields else {}
        args = read_args(fields["args"], "args", loss, notes, raises) if "args" in fields else {}
        is_read = len(notes) == before
        known_reductions = loss.results if loss else REDUCTIONS
        reductions = fields.words("reductions", known_reductions)
        dtypes = fields.words("dtypes", FORMATS) or DEFAULT_DTYPES
        context = Context(loss, reductions or known_reductions, dtypes, params, args, is_read)
        if "args" not in fields and "module" not in fields and loss is not None:
            remedy = f"add 'args:' with {', '.join(loss.arguments)}"
            notes.add(fields.place, "the case has no args", remedy)
        bias = fields.boolean("bias")
        if bias and not any(tensor.is_drawn for tensor in args.values()):
            fields.complain("bias", "bias needs many different numbers", "make an argument with 'uniform'")
        named_flags = fields.words("flags", self._flags)
        identities = {
            key: read_identity(fields[key], key, context, notes) if key in fields else None
            for key in ("same_as", "differs_from")
        }
        return Case(
            id=_read_slug(fields["id"], "id", notes),
            title=fields.text("title"),
            loss=name,
            file=notes.file,
            line=(fields.place_of("id") if "id" in fields else fields.place).line,
            source=sections.read_source(fields["source"], notes) if "source" in fields else None,
            prints=self._prints(fields),
            flags=tuple(self._flags[name] for name in named_flags if name in self._flags),
            params=params,
            args=args,
            upstream=read_upstream(fields["upstream"], notes) if "upstream" in fields else None,
            reductions=reductions or None,
            dtypes=dtypes,
            expect=read_expect(fields["expect"], context, notes) if "expect" in fields else {},
            gradient=read_gradient(fields["gradient"], context, notes) if "gradient" in fields else {},
            raises=sections.read_raised(fields["raises"], "raises", notes) if "raises" in fields else None,
            warns=sections.read_raised(fields["warns"], "warns", notes) if "warns" in fields else None,
            same_as=identities["same_as"],
            differs_from=identities["differs_from"],
            erratum=read_erratum(fields["erratum"], context, notes) if "erratum" in fields else None,
            drifted=sections.read_drifted(fields["drifted"], notes) if "drifted" in fields else None,
            module=sections.read_module(fields["module"], notes) if "module" in fields else None,
            bias=bias,
            rounded=fields.boolean("rounded"),
            loses_digits=fields.boolean("loses_digits"),
            own_process=fields.boolean("own_process"),
            repeats=fields.integer("repeats", least=2) if "repeats" in fields else 1,
            kills=fields.list("kills", _read_slug),
        )

    def _loss_of(self, fields: Fields) -> str:
        if "loss" in fields:
            return fields.word("loss", LOSSES)
        if self._loss is None and "id" in fields:
            remedy = "add 'loss: ...' to the case, or to the file for all its cases"
            self._notes.add(fields.place, "neither the case nor the file names a loss", remedy)
        return self._loss or ""

    def _prints(self, fields: Fields) -> tuple[str, ...]:
        """The numbers of the case that its document prints."""
        if "prints" not in fields:
            return ()
        if "source" not in fields:
            problem = "'prints' says what a document prints, and the case names no 'source'"
            fields.complain("prints", problem, "add the source or remove 'prints'")
        expect, erratum = fields["expect"], fields["erratum"]
        known = [*expect.entries] if isinstance(expect, MappingNode) else []
        says = erratum.entries.get("says") if isinstance(erratum, MappingNode) else None
        if says is not None and isinstance(says.value, MappingNode):
            known.append(ERRATUM_NUMBERS)
        return fields.words("prints", known)


def _read_slug(node: Node, what: str, notes: Notes) -> str:
    return read_matching(node, what, _SLUG, _SLUG_REMEDY, notes)
