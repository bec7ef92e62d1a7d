"""The planted faults, a module a loss or a kind of mistake."""
