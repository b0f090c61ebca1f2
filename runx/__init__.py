"""runx: one YAML file in, a table of results out."""

from runx.logx import logx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runx.querying import results

__all__ = ["__version__", "logx", "results"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # A training script imports logx alone: what reads results is imported when it is asked for.
    if name == "results":
        from runx.querying import results

        return results
    raise AttributeError(f"module 'runx' has no attribute {name!r}")
