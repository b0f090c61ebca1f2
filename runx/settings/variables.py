"""Settings from the environment: RUNX_<KEY>, and what a RUNX_ variable that is none may mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.settings.keys import FROM_ENVIRONMENT, OF_FILES
from runx.settings.layers import Layer, spoken

_PREFIX = "RUNX_"
_OURS = frozenset(
    {
        *("ATTACH", "ATTEMPT", "BEAT", "DEADLINE", "EXPERIMENT", "LEASES"),
        *("LOCK", "LOGDIR", "LOGX", "PROJECT", "RUN"),
    }
)
"""What runs are told, where a runx of theirs finds it; and what only tests set."""


def from_environment(environment: Mapping[str, str], cwd: Path) -> Layer:
    """Take every RUNX_<KEY> of the environment, read as YAML; a mistyped one is an error.

    >>> from_environment({"RUNX_FRAM": "slurm"}, Path())
    Traceback (most recent call last):
    runx.errors.SettingsError: RUNX_FRAM in the environment sets nothing; did you mean RUNX_FARM?
    """
    warnings = tuple(_unknown(environment))
    entries = {}
    for key in FROM_ENVIRONMENT:
        variable = f"{_PREFIX}{key}"
        if variable in environment:
            entries[key] = spoken(environment[variable], variable, cwd)
    return Layer(entries, {}, warnings)


def _unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """Tell of variables that set nothing; they may be another program's."""
    for variable in environment:
        key = variable.removeprefix(_PREFIX)
        if key == variable or key in FROM_ENVIRONMENT or key in _OURS:
            continue
        told = f"{variable} in the environment sets nothing"
        if key in OF_FILES:
            raise SettingsError(f"{told}; {key} stands in files alone")
        meant = remedy(key, FROM_ENVIRONMENT)
        if meant.startswith("did you mean "):
            raise SettingsError(f"{told}; {meant.replace('mean ', f'mean {_PREFIX}')}")
        yield told
