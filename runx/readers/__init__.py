"""Run directories of other tools, a module each."""
