"""Reading an experiment from its file, with overrides as Python values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.api.experiment import Experiment, request_of
from runx.config.keys import KEYS

if TYPE_CHECKING:
    from runx.sweeps.overrides import Override


def load(
    file: str | Path,
    /,
    *overrides: str,
    sweep: str | Sequence[str] = (),
    runx_file: str | Path | None = None,
    **values: Any,
) -> Experiment:
    """Read an experiment from a YAML file.

    ``overrides`` are as on the command line, ``values`` override by name. ``sweep`` names entries
    of SWEEPS to add; ``runx_file`` is read instead of .runx.

    >>> load("sweep.yml", "~momentum", lr=[0.1, 0.2], FARM="local").plan()    # doctest: +SKIP
    <2 runs of sweep>
    """
    request = request_of(Path(file))._replace(
        config=None if runx_file is None else Path(runx_file),
        overrides=(*overrides, *(_override(name, value) for name, value in values.items())),
        sweeps=(sweep,) if isinstance(sweep, str) else tuple(sweep),
    )
    return Experiment.of(request)


def _override(name: str, value: Any) -> Override:
    from runx.config.hparams import axis_of, node_of
    from runx.sweeps.overrides import Override

    key = name.removeprefix("+")
    is_setting = key.split(".")[0] in KEYS
    node = node_of(value, name) if is_setting else axis_of(value, name)
    return Override(f"{name}={value!r}", key, node, is_setting, key != name)
