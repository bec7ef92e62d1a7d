"""A subject that is a table of functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lossproof.adapters.arrays import Arrays, arrays_of
from lossproof.adapters.features import UNCHANGED, lacking, lacking_way
from lossproof.adapters.forms import Entry, Form, as_entry, form_of
from lossproof.adapters.statements import demand_sense
from lossproof.corpus.complaints import suggestion
from lossproof.numbers.formats import Float64Array
from lossproof.reference.catalogue import LOSSES
from lossproof.subjects.call import (
    Call,
    ModeObservation,
    Observation,
    Refused,
    Unsupported,
    Values,
    changed_since,
    places_of,
    tensors_of,
)
from lossproof.subjects.program import Program, Programs
from lossproof.subjects.promise import Promise
from lossproof.subjects.source import execute
from lossproof.subjects.subject import Subject

# By loss, an entry or what makes one.
Table = Mapping[str, Entry | Callable[..., Any] | tuple[Callable[..., Any], Any]]


class FunctionTable(Subject):
    """Functions of a library, one for each loss.

    A subclass states what it has as class attributes, and is registered in the entry point group
    ``lossproof.subjects``. To make one that states nonsense raises a TableError.

    Attributes:
        library: whose arrays the functions take: one of ``arrays.LIBRARIES``, or a class of such arrays.
        table: by loss, an ``Entry``; or a function; or a function and the names of the parameters that it
            takes.
        features_lacked: the names of features that it does not have; see ``features``.
    """

    library: str | type[Arrays] = "torch"
    table: Table = MappingProxyType({})
    features_lacked: tuple[str, ...] = ()

    def __init__(self) -> None:
        demand_sense(self)
        self.arrays = arrays_of(self.library) if isinstance(self.library, str) else self.library()
        self.dtypes = getattr(self, "dtypes", self.arrays.dtypes)
        self.layouts = self.arrays.layouts
        self.packages = tuple(dict.fromkeys((*self.packages, *self.arrays.packages)))
        self.writes_to_inputs = UNCHANGED in self.features_lacked
        self.programs = FunctionPrograms(self)

    def version(self) -> str:
        """That of the first of its packages."""
        try:
            return version(self.packages[0])
        except PackageNotFoundError:
            return "0"

    def devices(self) -> tuple[str, ...]:
        return self.arrays.devices()

    def source_files(self) -> tuple[str, ...]:
        """Those of its functions as well."""
        functions = [entry.function for entry in map(as_entry, self.table.values())]
        modules = [inspect.getmodule(function) for function in functions]
        files = (getattr(module, "__file__", None) for module in modules)
        return (*super().source_files(), *filter(None, files))

    def has_loss(self, loss: str) -> bool:
        """Whether the table has it."""
        return loss in self.table

    def lacks(self, call: Call) -> str:
        """Why no function of the table can be given the call."""
        if reason := lacking(call, self.features_lacked):
            return f"{self.name} {reason}"
        try:
            self.form_of(call)
        except Unsupported as unsupported:
            return str(unsupported)
        return ""

    def form_of(self, call: Call) -> Form:
        """How it makes a call; raises what ``forms.form_of`` does."""
        if call.loss not in self.table:
            raise Unsupported(f"{self.name} has no {call.loss}")
        return form_of(call, as_entry(self.table[call.loss]), self.name, self.arrays)

    def check(self, scope: Mapping[str, Any], call: Call) -> None:
        """Raise Unsupported if a call has shown that the function lacks something; by default, none does."""

    def ways(self, call: Call) -> tuple[Mapping[str, Promise], ...]:
        """Those of its arrays, for a function that their library differentiates."""
        # What writes to its inputs finds other numbers there when it is called again.
        is_alone = self.writes_to_inputs or self.form_of(call).backward
        return () if is_alone else self.arrays.ways(call)

    def run_mode(self, mode: str, call: Call, directions: Mapping[str, Float64Array]) -> ModeObservation:
        """Run a call in one of its ways."""
        if reason := lacking_way(mode, self.features_lacked):
            raise Unsupported(f"{self.name} {reason}")
        with self.arrays.settings(call):
            return self.arrays.run_way(mode, call, self.form_of(call))

    def run(self, call: Call) -> Observation:
        """Run forward and backward anew, on new arrays, for each upstream gradient.

        A function may write to its inputs, or keep only what one backward pass needs.
        """
        if reason := lacking(call, self.features_lacked):  # as for the other side of an identity
            raise Unsupported(f"{self.name} {reason}")
        form = self.form_of(call)
        with self.arrays.settings(call):
            return self._answer(form, call)

    def _answer(self, form: Form, call: Call) -> Observation:
        first, *others = call.upstreams or (None,)
        attempt = self._run_once(form, call, first)
        value, dtype = self.arrays.read(attempt.output)
        numbers, changes = [self._read_gradients(attempt)] if attempt.gradients else [], attempt.changes
        for upstream in others if attempt.gradients else ():
            attempt = self._run_once(form, call, upstream)
            numbers.append(self._read_gradients(attempt))
            changes = tuple(dict.fromkeys((*changes, *attempt.changes)))
        if attempt.failure is not None:
            return Observation(value, dtype, (), changes, failure=attempt.failure)
        dtypes = {name: dtype for by_name in numbers for name, (_, dtype) in by_name.items()}
        sets = tuple({name: array for name, (array, _) in by_name.items()} for by_name in numbers)
        return Observation(value, dtype, sets, changes, gradient_dtypes=dtypes)

    def _run_once(self, form: Form, call: Call, upstream: npt.NDArray[np.float64] | None) -> _Attempt:
        places = places_of(call)
        tensors = {
            name: self.arrays.make(values, call, places[name]) for name, values in tensors_of(call).items()
        }
        before = {name: self.arrays.read(array)[0] for name, array in tensors.items()}

        def function(tensors: Mapping[str, Any]) -> Any:
            scope = {**form.scope, **tensors}
            execute((*form.construct, f"result = {form.call}"), scope)
            self.check(scope, call)
            return _demand_array(scope["result"], self.arrays)

        gradients: Mapping[str, Any] = {}
        try:
            if upstream is None or not call.wrt:
                output = function(tensors)
            else:
                values = Values(upstream, call.upstream_dtype)
                array = self.arrays.make(values, replace(call, layout="contiguous"))
                if form.backward:
                    output = function(tensors)
                    gradients = _own_gradients(form, call, tensors, output, array)
                else:
                    output, gradients = self.arrays.differentiate(function, tensors, call.wrt, array)
        except Exception as error:
            reason = _reason_of(error)
            if upstream is not None and call.wrt:
                # If the value comes out alone, it is judged all the same.
                return replace(self._run_once(form, call, None), failure=reason)
            if isinstance(reason, Unsupported) and reason is not error:
                raise reason from error
            raise
        after = {name: self.arrays.read(array)[0] for name, array in tensors.items()}
        return _Attempt(output, gradients, changed_since(before, after))

    def _read_gradients(self, attempt: _Attempt) -> dict[str, tuple[npt.NDArray[Any], str]]:
        return {name: self.arrays.read(array) for name, array in attempt.gradients.items()}


@dataclass(frozen=True)
class _Attempt:
    """What one forward and one backward pass left, as arrays of the library."""

    output: Any
    gradients: Mapping[str, Any]
    changes: tuple[str, ...]
    failure: Unsupported | Refused | None = None


def _demand_array(output: Any, arrays: Arrays) -> Any:
    """The output, unless it is something of Python's own that does not pass for an array."""
    if output is None:
        raise TypeError("it returned None; is a 'return' missing?")
    if type(output).__module__ == "builtins":
        try:
            arrays.read(output)
        except Exception:
            kind = type(output).__name__
            raise TypeError(f"it returned a {kind}; let it return an array of {arrays.name}") from None
    return output


def _reason_of(error: Exception) -> Unsupported | Refused:
    """What an exception means: some are how libraries say that they lack something."""
    if isinstance(error, (Unsupported, Refused)):
        return error
    if isinstance(error, NotImplementedError) or "not implemented for" in str(error):
        return Unsupported(str(error).partition("\n")[0])
    return Refused(type(error).__name__, str(error), "backward")


def _own_gradients(
    form: Form, call: Call, tensors: Mapping[str, Any], output: Any, upstream: Any
) -> Mapping[str, Any]:
    """The gradients of a function's own backward pass; none if the output has another shape."""
    if np.shape(output) != np.shape(upstream):
        return {}
    scope = {**form.scope, **tensors, "upstream": upstream}
    execute((f"gradients = {form.backward}",), scope)
    gradients = scope["gradients"]
    if gradients is None:
        raise TypeError("the backward function returned None; is a 'return' missing?")
    order = LOSSES[call.loss].differentiable
    if isinstance(gradients, Mapping):
        if unknown := [name for name in gradients if name not in tensors]:
            remedy = suggestion(unknown[0], tensors)
            raise TypeError(f"the backward function returned a gradient by '{unknown[0]}'; {remedy}")
        named = dict(gradients)
    else:
        many = gradients if isinstance(gradients, (tuple, list)) else (gradients,)
        if len(many) > len(order):
            raise TypeError(
                f"the backward function returned {len(many)} gradients; there are {', '.join(order)}"
            )
        named = dict(zip(order, many, strict=False))
    return {name: named[name] for name in call.wrt if named.get(name) is not None}


class FunctionPrograms(Programs):
    """Programs that import a function and call it on plain numbers."""

    def __init__(self, subject: FunctionTable) -> None:
        self._subject = subject

    def of_call(self, call: Call, quantity: str = "value") -> Program:
        form, arrays = self._subject.form_of(call), self._subject.arrays
        places = places_of(call)
        tensors = {
            name: arrays.lines(name, values, call, places[name]) for name, values in tensors_of(call).items()
        }
        lines = tuple(self._computation(form, call, quantity))
        return Program(
            (*arrays.imports, *form.imports), tensors, form.construct, lines, in_double=arrays.in_double
        )

    def of_mode(
        self, mode: str, call: Call, directions: Mapping[str, Float64Array], part: str = ""
    ) -> Program:
        """See ``Programs``."""
        return self._subject.arrays.program_of_way(mode, call, self._subject.form_of(call), part)

    def _computation(self, form: Form, call: Call, quantity: str) -> Iterator[str]:
        kind, _, argument = quantity.partition(":")
        if kind not in ("gradient", "vjp", "unchanged") or not call.upstreams or not call.wrt:
            yield f"result = {form.call}"
            return
        arrays = self._subject.arrays
        upstream = Values(call.upstreams[0 if kind == "gradient" else -1], call.upstream_dtype)
        yield from arrays.lines("upstream", upstream, replace(call, layout="contiguous"))
        wanted = argument or call.wrt[0]
        if form.backward:
            yield f"gradients = {form.backward}"
            place = LOSSES[call.loss].differentiable.index(wanted)
            yield (
                f"result = gradients[{wanted!r}] if isinstance(gradients, dict) else "
                f"gradients[{place}] if isinstance(gradients, (tuple, list)) else gradients"
            )
        elif arrays.differentiates:
            yield from arrays.gradient_lines(form.call, call, wanted)
        else:
            yield f"result = {form.call}"
