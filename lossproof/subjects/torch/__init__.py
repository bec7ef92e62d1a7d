"""torch as a subject: its modules, its functions, and expressions of its operations."""
