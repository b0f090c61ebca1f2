"""Readers of what other tools write to a run's directory, a module each."""
