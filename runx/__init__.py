"""runx: one YAML file in, a table of results out."""

from runx.logx import logx
from runx.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runx.api.control import cancel, hold, release, remove, thin
    from runx.api.inspect import Standings, experiments, logs, show, status
    from runx.api.launching import launch, preview
    from runx.api.live import watch
    from runx.api.planning import Experiment, Plan, load
    from runx.api.project import init, schema
    from runx.api.results import Results, results
    from runx.errors import RunxError
    from runx.types import Run

__all__ = [
    "Experiment",
    "Plan",
    "Results",
    "Run",
    "RunxError",
    "Standings",
    "__version__",
    "cancel",
    "experiments",
    "hold",
    "init",
    "launch",
    "load",
    "logs",
    "logx",
    "preview",
    "release",
    "remove",
    "results",
    "schema",
    "show",
    "status",
    "thin",
    "watch",
]

# A training script imports logx alone: the others are imported when they are asked for.
_ROOMS = {
    "api.control": ("cancel", "hold", "release", "remove", "thin"),
    "api.inspect": ("Standings", "experiments", "logs", "show", "status"),
    "api.launching": ("launch", "preview"),
    "api.live": ("watch",),
    "api.planning": ("Experiment", "Plan", "load"),
    "api.project": ("init", "schema"),
    "api.results": ("Results", "results"),
    "errors": ("RunxError",),
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
