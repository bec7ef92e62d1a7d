"""The command line: ``app`` declares the verbs, and the other modules do their work."""
