"""The project's code: frozen once, and a tree of its own for each run."""
