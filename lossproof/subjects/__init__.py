"""The implementations under test: the calls that they get, and the answers that they give."""
