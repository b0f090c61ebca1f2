"""Every source of settings, the strongest first: flags, variables, the experiment, other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runx.config.farms import farms_of
from runx.config.keys import KEYS
from runx.config.layers import Layer, merged
from runx.config.overrides import overridden
from runx.config.request import Request
from runx.config.sources import (
    entry_of,
    from_environment,
    from_file,
    from_tree,
    host_files,
    project_file,
)
from runx.errors import SettingsError
from runx.home import MACHINE_FILE
from runx.sweeps.overrides import Override
from runx.sweeps.values import Scalar


def layers_of(request: Request, overrides: Sequence[Override]) -> list[Layer]:
    """Return the settings of every source of a request, in order.

    Raises:
        SettingsError: One is missing or malformed, or what is about a machine isn't in its files.
    """
    cwd, environment = request.cwd, request.environment
    if request.tree is None:
        own = from_file(request.file, text=request.text)
    else:
        own = from_tree(request.tree, cwd)
    flags = {key: entry_of(text, f"--{key.lower()}", cwd) for key, text in request.flags.items()}
    layers = [
        Layer(flags),
        from_environment(environment, cwd),
        own,
        *_outer_layers(cwd, environment, request.config, request.file),
    ]
    if overrides:
        layers = overridden(layers, overrides, cwd)
    _check_hosts(layers, host_files(environment))
    return layers


def logroot(cwd: Path, environment: Mapping[str, str], config: Path | None = None) -> Path:
    """Return the folder of all experiments, for a command in ``cwd`` that names no file."""
    layers = [from_environment(environment, cwd), *_outer_layers(cwd, environment, config, None)]
    asked = KEYS["FARM"].value("FARM", merged(layers, "").get("FARM"), cwd, environment)
    farms = farms_of(asked, layers) if asked else ()
    entry = merged(layers, farms[0] if farms else "").get("LOGROOT")
    path: Path = KEYS["LOGROOT"].value("LOGROOT", entry, cwd, environment)
    return path


def _outer_layers(
    cwd: Path, environment: Mapping[str, str], config: Path | None, experiment: Path | None
) -> list[Layer]:
    """Return the settings of .runx (or ``config``), the user's file and the machine's, in order."""
    if config is not None and (config.is_dir() or not config.exists()):
        raise SettingsError(f"{config}: there is no such file; -c names a .runx file")
    start = experiment.absolute().parent if experiment else None
    files = (config or project_file(cwd, start), *host_files(environment))
    return [from_file(path, may_be_empty=True) for path in files if path is not None]


def _check_hosts(layers: list[Layer], files: list[Path]) -> None:
    """Raise a SettingsError for what is about a machine and stands elsewhere than in its files."""
    for layer in layers:
        is_hosts = layer.files[:1] and layer.files[0] in files
        for entries in (layer.entries, *layer.farms.values()):
            for name, entry in entries.items():
                is_set = not isinstance(entry.node, Scalar) or entry.node.value is not None
                is_at_home = is_hosts and entries is layer.entries
                if KEYS[name].scope == "host" and is_set and not is_at_home:
                    raise SettingsError(
                        f"{entry.origin}: {name} is about a machine, whoever uses it: it stands in"
                        f" your own ~/.config/runx.yml or in {MACHINE_FILE}, beside the farms"
                    )
