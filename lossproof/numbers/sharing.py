"""Operations that the formulas of a call have in common are carried out once.

The gradients take up what the value consists of, and each reduction starts from the same elements. Inside
``sharing``, an operation that comes again, on the same operands, returns the result that it had before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from lossproof.numbers.rules import followed_rules

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Result = TypeVar("_Result")


class _Done(NamedTuple):
    """An operation that was carried out: its result, and the freedoms of ``Rules`` that it has used.

    The operands are kept since some are known by their addresses, which others must not get.
    """

    result: Any
    freedoms: set[str]
    operands: object


_Results = dict[Hashable, _Done]


@dataclass
class _Kept:
    """The results for the latest owner, in each setting; those of all calls would not fit into memory."""

    owner: object = None
    results: dict[Hashable, _Results] = field(default_factory=dict)


_kept = _Kept()
_in_use: ContextVar[_Results | None] = ContextVar("shared_results", default=None)


@contextmanager
def sharing(owner: object, setting: Hashable) -> Iterator[None]:
    """Share results inside with whatever runs for the same owner in the same setting.

    Args:
        owner: what all formulas of a call have in common; it matters by its identity.
        setting: all that results depend on beside the operands and what these carry along.
    """
    if _kept.owner is not owner:
        _kept.owner, _kept.results = owner, {}
    token = _in_use.set(_kept.results.setdefault(setting, {}))
    try:
        yield
    finally:
        _in_use.reset(token)


def once(
    operation: Hashable, operands: object, compute: Callable[[], _Result], *, is_start: bool = False
) -> _Result:
    """The result of an operation: computed, unless it was before; an array can only be read then.

    Args:
        operation, operands: what tells it from other operations.
        compute: carries it out.
        is_start: whether formulas start from the result, such as an upstream gradient of ones. It may come
            about in several ways, and the first of those with equal contents stands for all.
    """
    results = _in_use.get()
    if results is None:
        return compute()
    try:
        key = operation, _identity(operands)
        done = results.get(key)
    except TypeError:  # an operand cannot be told from others
        return compute()
    if done is None:
        rules = followed_rules()
        before, rules.freedoms = rules.freedoms, set()
        try:
            result = compute()
        finally:
            used, rules.freedoms = rules.freedoms, before
            before |= used
        if isinstance(result, np.ndarray):
            result.setflags(write=False)
        if is_start:
            result = _only_one(results, result)
        results[key] = _Done(result, used, operands)
        return result
    if done.freedoms:
        followed_rules().freedoms |= done.freedoms
    return cast(_Result, done.result)


def shared(function: _Function) -> _Function:
    """Share the results of a function, which depends on nothing but its operands and the rules in force.

    It asks no convention, and what it notes as a step is noted once. Of the operations inside, none is
    shared with others, which saves the time to look for them.
    """

    @wraps(function)
    def shared_function(*operands: Any, **options: Any) -> Any:
        if _in_use.get() is None:
            return function(*operands, **options)
        return once(function, (operands, tuple(options.items())), partial(alone, operands, options))

    def alone(operands: Any, options: Any) -> Any:
        token = _in_use.set(None)
        try:
            return function(*operands, **options)
        finally:
            _in_use.reset(token)

    return cast(_Function, shared_function)


def _only_one(results: _Results, number: Any) -> Any:
    """The first number array of these contents."""
    try:
        key = type(number), _identity(number.components)
    except TypeError:  # balls
        return number
    return results.setdefault(key, _Done(number, set(), None)).result


def _identity(operand: Any) -> Hashable:
    """What only the same operand has: the address of a number array, and of all else the contents.

    Raises:
        TypeError: there is no such thing.
    """
    if isinstance(operand, NDArrayOperatorsMixin):
        return id(operand)
    kind = type(operand)
    if kind is tuple or kind is list:
        return tuple(
            [id(part) if isinstance(part, NDArrayOperatorsMixin) else _identity(part) for part in operand]
        )
    if kind is float:
        return kind, operand or str(operand)  # 0.0 and -0.0 are equal
    if kind is slice:
        return kind, operand.start, operand.stop, operand.step
    if isinstance(operand, np.ndarray | np.generic):
        if operand.dtype.hasobject:
            raise TypeError("objects have addresses for contents")
        return operand.dtype, operand.shape, operand.tobytes()
    return kind, operand
