"""What is checked: one file per kind of check."""
