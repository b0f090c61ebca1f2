"""runx: one YAML file in, a table of results out."""

from runx.logx import logx

__all__ = ["__version__", "logx"]

__version__ = "0.1.0"
