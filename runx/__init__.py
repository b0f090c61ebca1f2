"""runx: one YAML file in, a table of results out."""

from runx.logx import logx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runx.api.control import cancel, hold, release, remove, thin
    from runx.api.experiment import Experiment, Plan
    from runx.api.handle import Handle, attach
    from runx.api.here import gpus, slots
    from runx.api.inspect import Standings, experiments, show, status
    from runx.api.launch import launch, preview
    from runx.api.loading import load
    from runx.api.printed import logs
    from runx.api.project import convert, init, schema
    from runx.api.results import Results, results
    from runx.api.watch import watch
    from runx.errors import RunxError
    from runx.rundir.run import Run
    from runx.version import __version__

__all__ = [
    "Experiment",
    "Handle",
    "Plan",
    "Results",
    "Run",
    "RunxError",
    "Standings",
    "__version__",
    "attach",
    "cancel",
    "convert",
    "experiments",
    "gpus",
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
    "slots",
    "status",
    "thin",
    "watch",
]

# A training script needs logx alone: the others are imported when they are used.
_MODULES = {
    "api.control": ("cancel", "hold", "release", "remove", "thin"),
    "api.handle": ("Handle", "attach"),
    "api.here": ("gpus", "slots"),
    "api.inspect": ("Standings", "experiments", "show", "status"),
    "api.loading": ("load",),
    "api.printed": ("logs",),
    "api.launch": ("launch", "preview"),
    "api.watch": ("watch",),
    "api.experiment": ("Experiment", "Plan"),
    "api.project": ("convert", "init", "schema"),
    "api.results": ("Results", "results"),
    "errors": ("RunxError",),
    "rundir.run": ("Run",),
    "version": ("__version__",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"runx.{module}"), name)
    raise AttributeError(f"module 'runx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
