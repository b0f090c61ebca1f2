"""runx: one YAML file in, a table of results out."""

from runx.logx import logx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runx.api.calling import Standings, launch, status
    from runx.api.planning import Experiment, Plan, load
    from runx.errors import RunxError
    from runx.reading.querying import Results, results
    from runx.types import Run

__all__ = [
    "Experiment",
    "Plan",
    "Results",
    "Run",
    "RunxError",
    "Standings",
    "__version__",
    "launch",
    "load",
    "logx",
    "results",
    "status",
]

__version__ = "0.1.0"


# A training script imports logx alone: the others are imported when they are asked for.
_ROOMS = {
    "api.calling": ("Standings", "launch", "status"),
    "errors": ("RunxError",),
    "api.planning": ("Experiment", "Plan", "load"),
    "reading.querying": ("Results", "results"),
    "types": ("Run",),
}


def __getattr__(name: str) -> object:
    for room, names in _ROOMS.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"runx.{room}"), name)
    raise AttributeError(f"module 'runx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
