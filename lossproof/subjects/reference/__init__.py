"""Our own reference as a subject."""
