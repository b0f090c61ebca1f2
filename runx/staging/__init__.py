"""The project's code: frozen once a launch, and a working tree of it for each run."""
