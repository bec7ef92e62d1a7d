"""The command line: ``app`` holds the verbs as people see them, the other modules the work of each."""
