"""Planted faults: a catalogue of bugs in torch's losses, and which case catches which."""
