"""runx: one YAML file in, a table of results out."""

__version__ = "0.1.0"
