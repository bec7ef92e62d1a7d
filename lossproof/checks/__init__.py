"""The kinds of checks: the table of contents of the suite."""

from __future__ import annotations

from lossproof.checks.bias import Bias
from lossproof.checks.identities import Identities
from lossproof.checks.kind import Kind
from lossproof.checks.modes.examining import Modes
from lossproof.checks.module_claims import ModuleClaims
from lossproof.checks.refusals import Refusals
from lossproof.checks.repeats import Repeats
from lossproof.checks.unchanged import Unchanged
from lossproof.checks.values import Values
from lossproof.checks.warnings import Warnings

# Each call of a case meets them in this order.
KINDS: tuple[Kind, ...] = (
    ModuleClaims(),
    Refusals(),
    Repeats(),
    Values(),
    Unchanged(),
    Warnings(),
    Bias(),
    Identities(),
    Modes(),
)
