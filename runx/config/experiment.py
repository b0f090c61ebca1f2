"""What is to be run: everything that the settings say, decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config.keys import KEYS
from runx.config.kinds import Entry, user_of
from runx.errors import SettingsError
from runx.nearest import remedy
from runx.rundir.paths import ExperimentDir
from runx.rundir.script import PLAIN, Shell
from runx.rundir.styles import Style
from runx.sweeps.grid import Beside
from runx.sweeps.identity import Identity
from runx.sweeps.naming import filled, new_launch
from runx.sweeps.overrides import Override
from runx.sweeps.values import Hparam, Node, Scalar

if TYPE_CHECKING:
    from runx.farms.base import Farm


class Code(NamedTuple):
    """What of the project is frozen, and how runs get it."""

    root: Path
    source: str
    ignore: tuple[str, ...]
    gitignore: bool
    links: tuple[str, ...]
    files: Mapping[str, Path]
    max_size: int
    staging: str
    git_dirty: str


class Setting(NamedTuple):
    """A setting as ``runx config`` shows it: its text and who said it."""

    text: str
    origin: str


class Experiment(NamedTuple):
    """A YAML file with its settings: what is run, where it lies, and where it goes.

    ``farm`` is None for runs that are made here. ``hparams`` keeps the text of its values, and
    ``at`` says where each of them stands. ``style`` is how they are told to the script, whose own
    file ``has_config`` if it has one. ``texts`` are what names may hold of a launch.
    """

    name: str
    file: Path
    logroot: Path
    cmd: str
    hparams: Node
    at: Callable[..., str]
    beside: Beside
    style: Style
    has_config: bool
    run_name: str
    texts: Mapping[str, str]
    tag: str
    cooldir: bool
    farm: Farm | None
    resources: tuple[Hparam, ...]
    pythonpath: str
    code: Code
    dir_mode: int | None
    resume: bool
    identity: Identity
    gpus: tuple[str, ...]
    title: str
    note: str
    settings: Mapping[str, Setting]
    sources: tuple[Path, ...]
    warnings: tuple[str, ...]
    shell: Shell = PLAIN

    @property
    def dir(self) -> ExperimentDir:
        """The experiment's directory under LOGROOT."""
        return ExperimentDir(self.logroot / self.name)


LOCAL = "local"
"""The farm that is this machine: no section describes it."""


def presets() -> list[str]:
    """Return the types of farms that need no SUBMIT_CMD; a farm of that name is of that type.

    >>> "slurm" in presets(), "command" in presets()
    (True, False)
    """
    from runx.farms.registry import FARMS

    return [name for name in FARMS if name != "command"]


def farm_of(
    name: str | None, value: Mapping[str, Any], entries: Mapping[str, Entry]
) -> Farm | None:
    """Return the farm of that name, None where there is none."""
    if name is None:
        return None
    type = farm_type(name, value["TYPE"], value["SUBMIT_CMD"])
    if value["TYPE"]:
        _check_type(type, entries["TYPE"].origin)
    if not value["SUBMIT_CMD"] and type == "command":
        raise SettingsError(
            f"{entries['FARM'].origin}: farm {name} has no SUBMIT_CMD, nor a TYPE;"
            " see docs/runx-file.md"
        )
    from runx.farms.base import Farm  # not at start: most launches run here

    return Farm(
        name=name,
        submit_cmd=value["SUBMIT_CMD"],
        type=type,
        array=value["ARRAY"],
        max_parallel=value["MAX_PARALLEL"],
        requeue=value["REQUEUE"],
        directives=value["DIRECTIVES"],
        options={
            name: value[name] for name, key in KEYS.items() if key.scope == "farm" and value[name]
        },
    )


def farm_type(name: str, given: str, submit_cmd: str) -> str:
    """Return the type of a farm: its TYPE, what its SUBMIT_CMD shows, or its name.

    >>> farm_type("big", "", "ngc batch run --ace x"), farm_type("slurm", "", "sbatch")
    ('ngc', 'command')
    >>> farm_type("slurm", "", ""), farm_type("big", "slurm", "")
    ('slurm', 'slurm')
    """
    if given:
        return given
    if submit_cmd.split()[:3] == ["ngc", "batch", "run"]:
        return "ngc"
    return name if not submit_cmd and name in presets() else "command"


def _check_type(type: str, origin: str) -> None:
    """Raise a SettingsError for a type that neither runx nor a plug-in has."""
    known = [*presets(), "command"]
    if type in known or ":" in type:
        return
    from importlib.metadata import entry_points

    known += (point.name for point in entry_points(group="runx.farms.registry"))
    if type not in known:
        raise SettingsError(f"{origin}: TYPE {type} is unknown; {remedy(type, known)}")


def shell_of(value: Mapping[str, Any]) -> Shell:
    """Return what stands around the command in run.sh."""
    return Shell(
        setup=value["SETUP"].strip("\n"),
        teardown=value["TEARDOWN"].strip("\n"),
        wrap=value["WRAP"].strip(),
        launch=value["LAUNCH"],
        environment=tuple(value["ENV"].items()),
        separate=value["STDERR"] == "separate",
    )


def code_of(value: Mapping[str, Any]) -> Code:
    """Return what of the project is frozen, and how runs get it."""
    return Code(
        root=value["CODE_ROOT"],
        source=value["CODE_FROM"],
        ignore=value["CODE_IGNORE_PATTERNS"],
        gitignore=value["CODE_GITIGNORE"],
        links=value["CODE_LINKS"],
        files=value["FILES"],
        max_size=value["CODE_MAX_SIZE"],
        staging=value["CODE_STAGING"],
        git_dirty=value["GIT_DIRTY"],
    )


def launch_texts(
    value: Mapping[str, Any],
    entries: Mapping[str, Entry],
    farm: str | None,
    now: datetime | None,
    launch: str,
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Return what RUN_NAME and EXP_NAME may hold; git and the user are looked up where one does."""
    now = now or datetime.now().astimezone()
    texts = {
        "date": f"{now:%Y.%m.%d}",
        "farm": farm or "local",
        "git": "",
        "launch": launch or new_launch(now),
        "user": "",
    }
    for name in ("RUN_NAME", "EXP_NAME"):
        if "{git}" in value[name]:
            texts["git"] = _commit(value, f"{entries[name].origin}: {name}")
        if "{user}" in value[name]:
            texts["user"] = user_of(environment)
    return texts


def _commit(value: Mapping[str, Any], where: str) -> str:
    from runx.staging.git import state

    git = state(value["CODE_ROOT"], (value["LOGROOT"],))
    if git is None or not git.commit:
        raise SettingsError(f"{where}: {{git}}: {value['CODE_ROOT']} has no commit; leave it out")
    return git.commit[:8]


def experiment_name(
    template: str, texts: Mapping[str, str], entries: Mapping[str, Entry], file: Path
) -> str:
    """Return the name of the experiment's folder: EXP_NAME filled in, or that of its file."""
    name, origin = file.stem, str(file)
    if "EXP_NAME" in entries:
        origin = f"{entries['EXP_NAME'].origin}: EXP_NAME"
        name = filled(template or name, texts, origin)
    if "/" in name or name in (".", "..", ".runx") or not name.strip():
        raise SettingsError(f"{origin}: {name!r} can't name an experiment's folder")
    return name


def shown_settings(
    entries: Mapping[str, Entry], hparams: Node, overrides: Iterable[Override]
) -> dict[str, Setting]:
    """Return every setting as people are shown it; HPARAMS with all that was laid over it."""
    shown = {name: Setting(_shown(entry.node), entry.origin) for name, entry in entries.items()}
    defaults = {
        name: Setting(key.default_text, "default")
        for name, key in KEYS.items()
        if key.default is not None and name not in entries
    }
    origins = [
        entries[name].origin for name in ("HPARAMS", "HPARAMS_FROM", "CONFIG") if name in entries
    ]
    words = [override.text for override in overrides if not override.is_setting]
    planned = Setting(_shown(hparams), ", ".join([*origins, *words]))
    return {**shown, **defaults, "HPARAMS": planned}


def _shown(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return "[" + ", ".join(_shown(item) for item in node) + "]"
    return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in node.items()) + "}"
