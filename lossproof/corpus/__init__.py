"""Reading cases: from YAML text to frozen data, or to every complaint about it."""
