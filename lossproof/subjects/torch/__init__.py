"""torch as a subject: its modules, its functions, and expressions made of its operations."""
