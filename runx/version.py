"""The version of runx."""

__version__ = "0.1.0"
