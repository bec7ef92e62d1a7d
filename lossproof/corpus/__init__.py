"""Reads case files: from YAML text to frozen data, or to a list of every complaint."""
