"""Small wrong changes of a Python module, each of which makes one mutant.

Code that takes no part in a computation is not mutated: docstrings, annotations, the texts of errors and
messages, imports, and assertions, which are there for the type checker.

cosmic-ray and mutmut have operators too, but none that drops an argument, unwraps a call or removes a
statement, which are typical mistakes in NumPy code; and both mutate annotations.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
    ast.Eq: ast.NotEq,
    ast.Is: ast.IsNot,
    ast.In: ast.NotIn,
}
_COMPARISONS |= {after: before for before, after in _COMPARISONS.items()}
_FUNCTIONS = {
    "maximum": "minimum",
    "max": "min",
    "any": "all",
    "zeros": "ones",
    "zeros_like": "ones_like",
    "log": "log1p",
    "floor": "ceil",
    "sin": "cos",
}
_FUNCTIONS |= {after: before for before, after in _FUNCTIONS.items()}
_UNTOUCHED = (ast.JoinedStr, ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)
Edit = tuple[str, ast.AST]


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of a module.

    Attributes:
        file: the module's path below the project.
        function: the qualified name of the function that is changed; empty for the module itself.
        code: the changed line.
        operator: the kind of change.
        mutation: the old and the new code.
    """

    file: str
    function: str
    code: str
    operator: str
    mutation: str
    _tree: ast.Module
    _holder: Any
    _key: str | int
    _replacement: ast.AST

    def compiled(self) -> CodeType:
        """The module's code with the change."""
        with self._change():
            return compile(self._tree, self.file, "exec")

    def source(self) -> str:
        """The module's text with the change, without comments."""
        with self._change():
            return ast.unparse(self._tree)

    @contextmanager
    def _change(self) -> Iterator[None]:
        before = _get(self._holder, self._key)
        _set(self._holder, self._key, ast.fix_missing_locations(self._replacement))
        try:
            yield
        finally:
            _set(self._holder, self._key, before)


def mutants_of(root: Path, file: str) -> list[Mutant]:
    """All mutants of a module, from top to bottom."""
    text = (root / file).read_text()
    tree, lines = ast.parse(text), text.splitlines()
    mutants: list[Mutant] = []
    count: Counter[tuple[str, str, str]] = Counter()
    for function, holder, key, node in _sites(tree, ""):
        edits = _statement_edits(node, function) if isinstance(node, ast.stmt) else _edits(node)
        for operator, replacement in edits:
            ast.copy_location(replacement, node)
            code = lines[node.lineno - 1].strip()  # type: ignore[attr-defined]  # sites have a place
            mutation = _words(node, replacement)
            count[function, code, mutation] += 1
            if count[function, code, mutation] > 1:
                mutation += f" ({count[function, code, mutation]})"
            mutants.append(Mutant(file, function, code, operator, mutation, tree, holder, key, replacement))
    return mutants


def _sites(node: ast.AST, function: str) -> Iterator[tuple[str, Any, str | int, ast.AST]]:
    """All nodes below a node that might be changed, with their places in the tree."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(name, value)]
        holder = value if isinstance(value, list) else node
        for key, child in children:
            if not isinstance(child, ast.AST) or isinstance(child, _UNTOUCHED) or _is_docstring(child):
                continue
            inside = function
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inside = f"{function}.{child.name}".lstrip(".")
            # The parts of an index or of a generic type are not elements.
            is_index = isinstance(node, ast.Subscript) and isinstance(child, ast.Tuple)
            if isinstance(child, (ast.expr, ast.stmt)) and not is_index:
                yield inside, holder, key, child
            if not _is_negative_number(child):
                yield from _sites(child, inside)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_negative_number(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def _statement_edits(node: ast.stmt, function: str) -> Iterator[Edit]:
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Assign(targets=[ast.Subscript()]):
            yield "statement removed", ast.Pass()
        # A name that is assigned from itself already has a value.
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if function and name in _names(value):
            yield "statement removed", ast.Pass()
        case ast.If() | ast.While():
            for outcome in (True, False):
                yield "condition decided", type(node)(ast.Constant(outcome), node.body, node.orelse)
        case ast.For():
            yield "loop skipped", ast.For(node.target, ast.Tuple([], ast.Load()), node.body, node.orelse)


def _edits(node: ast.AST) -> Iterator[Edit]:
    match node:
        case ast.BinOp():
            yield from _binary(node)
        case ast.Compare(ops=operators):
            for place, operator in enumerate(operators):
                swapped = [*operators[:place], _COMPARISONS[type(operator)](), *operators[place + 1 :]]
                yield "comparison", ast.Compare(node.left, swapped, node.comparators)
        case ast.BoolOp():
            swapped_operator = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and, or", ast.BoolOp(swapped_operator, node.values)
            for place in range(len(node.values)):
                rest = node.values[:place] + node.values[place + 1 :]
                yield "operand dropped", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            yield "sign dropped", node.operand
            yield "constant", ast.parse(repr(1 - number), mode="eval").body
        case ast.UnaryOp():
            yield "sign dropped", node.operand
        case ast.Constant(value=bool() as truth):
            yield "constant", ast.Constant(not truth)
        case ast.Constant(value=int() | float() as number):
            yield "constant", ast.Constant(number + 1)
        case ast.IfExp():
            yield "condition decided", node.body
            yield "condition decided", node.orelse
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) if len(node.elts) > 1:
            yield "element dropped", type(node)(node.elts[:-1], ast.Load())
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
            for place, part in enumerate(node.generators):
                if part.ifs:
                    plain = ast.comprehension(part.target, part.iter, [], part.is_async)
                    parts = [*node.generators[:place], plain, *node.generators[place + 1 :]]
                    yield "condition decided", type(node)(node.elt, parts)
        case ast.Call():
            yield from _call(node)


def _binary(node: ast.BinOp) -> Iterator[Edit]:
    """Sums and differences are swapped; products, quotients and powers lose their effect."""
    if isinstance(node.op, (ast.Add, ast.Sub)):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "operator", ast.BinOp(node.left, other, node.right)
        return
    yield "operand dropped", node.left
    if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        yield "operand dropped", node.right


def _call(node: ast.Call) -> Iterator[Edit]:
    owner, name = None, ast.unparse(node.func)
    if isinstance(node.func, ast.Attribute):
        owner, name = node.func.value, node.func.attr
    is_numpy = isinstance(owner, ast.Name) and owner.id == "np"
    if name in _FUNCTIONS and is_numpy:
        assert owner is not None
        yield (
            "function",
            ast.Call(ast.Attribute(owner, _FUNCTIONS[name], ast.Load()), node.args, node.keywords),
        )
    elif name in _FUNCTIONS and owner is None:
        yield "function", ast.Call(ast.Name(_FUNCTIONS[name], ast.Load()), node.args, node.keywords)
    if is_numpy and node.args and not isinstance(node.args[0], ast.Starred):
        yield "call unwrapped", node.args[0]
    for place in range(len(node.keywords)):
        rest = node.keywords[:place] + node.keywords[place + 1 :]
        yield "argument dropped", ast.Call(node.func, node.args, rest)
    if is_numpy and name == "where":
        yield "arguments swapped", ast.Call(node.func, [node.args[0], *reversed(node.args[1:])], [])


def _words(before: ast.AST, after: ast.AST) -> str:
    """The old and the new code, short enough to read and long enough to distinguish mutants of a line."""
    if isinstance(after, ast.Pass):
        return "removed"
    if isinstance(after, (ast.If, ast.While)):
        return f"condition -> {ast.unparse(after.test)}"
    if isinstance(after, ast.For):
        return "no iteration"
    if isinstance(before, ast.Call) and isinstance(after, ast.Call):
        dropped = [keyword.arg for keyword in before.keywords if keyword not in after.keywords]
        if dropped:
            return f"{ast.unparse(before.func)} without {dropped[0]}"
    return f"{ast.unparse(before)} -> {ast.unparse(after)}"


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _get(holder: Any, key: str | int) -> Any:
    return holder[key] if isinstance(key, int) else getattr(holder, key)


def _set(holder: Any, key: str | int, value: Any) -> None:
    if isinstance(key, int):
        holder[key] = value
    else:
        setattr(holder, key, value)
