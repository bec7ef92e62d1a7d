"""The harness, where pytest finds it: what ``lossproof verify`` runs, from the package."""

from lossproof.running.conformance import test_case, test_sentinel

__all__ = ["test_case", "test_sentinel"]
