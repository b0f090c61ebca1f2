"""An experiment: what is run, as all the settings decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.errors import SettingsError
from runx.nearest import remedy
from runx.rundir.paths import ExperimentDir
from runx.rundir.script import PLAIN, Shell
from runx.rundir.styles import Style
from runx.sweeps.grid import Beside
from runx.sweeps.identity import Identity
from runx.sweeps.overrides import Override
from runx.sweeps.values import Hparam, Node, Point, Scalar

if TYPE_CHECKING:
    from runx.farms.base import Farm


class Code(NamedTuple):
    """What of the project is frozen, and how runs get it. ``max_size`` is in bytes."""

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
    """A setting as ``runx config`` shows it: its text, and the source that set it."""

    text: str
    origin: str


class Settings(Mapping[str, Setting]):
    """Every setting that has a value, by its key, as ``runx config`` shows it.

    Texts are made when they are asked for: most launches show none.
    """

    __slots__ = ("_entries", "_hparams", "_overrides")

    def __init__(
        self, entries: Mapping[str, Entry], hparams: Node, overrides: Iterable[Override]
    ) -> None:
        self._entries, self._hparams, self._overrides = entries, hparams, overrides

    def __getitem__(self, name: str) -> Setting:
        """Return a setting; HPARAMS with all that is laid over it."""
        if name == "HPARAMS":
            sources = [key for key in (name, "HPARAMS_FROM", "CONFIG") if key in self._entries]
            origins = [self._entries[key].origin for key in sources]
            origins += [each.text for each in self._overrides if not each.is_setting]
            return Setting(_text_of(self._hparams), ", ".join(origins))
        if name in self._entries:
            return Setting(_text_of(self._entries[name].node), self._entries[name].origin)
        if KEYS[name].default is None:
            raise KeyError(name)
        return Setting(KEYS[name].default_text, "default")

    def __iter__(self) -> Iterator[str]:
        defaults = (name for name, key in KEYS.items() if key.default is not None)
        return iter(dict.fromkeys((*self._entries, *defaults, "HPARAMS")))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _text_of(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, list):
        return "[" + ", ".join(_text_of(item) for item in node) + "]"
    return "{" + ", ".join(f"{key}: {_text_of(item)}" for key, item in node.items()) + "}"


class Experiment(NamedTuple):
    """A YAML file with its settings: what is run, where its directory is, and on which farm.

    ``farm`` is None for runs on this machine. ``hparams`` keeps the text of its values, and ``at``
    returns where each of them stands. ``style`` is how they are passed to the script, whose own
    file of defaults CONFIG names if ``has_config``. ``texts`` are what names may hold of a launch.
    """

    name: str
    dir: ExperimentDir
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

    def id_of(self, point: Point) -> str:
        """Return the identity of a point's run: that of equal CMD and hyperparameters anywhere."""
        return self.identity.of(self.cmd, {hparam.name: hparam.value for hparam in point.hparams})


LOCAL = "local"
"""The farm that is this machine: no section describes it."""


def presets() -> list[str]:
    """Return the types of farms that need no SUBMIT_CMD; a farm of that name is of that type.

    >>> "slurm" in presets(), "command" in presets()
    (True, False)
    """
    from runx.farms.registry import FARMS

    return [name for name in FARMS if name != "command"]


def farm_of(name: str, value: Mapping[str, Any], entries: Mapping[str, Entry]) -> Farm:
    """Return the farm that the settings describe.

    Raises:
        SettingsError: Its TYPE is unknown, or it has neither a TYPE nor a SUBMIT_CMD.
    """
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


def farm_type(name: str, type: str, submit_cmd: str) -> str:
    """Return the type of a farm: its TYPE, that of its SUBMIT_CMD, or its name.

    >>> farm_type("big", "", "ngc batch run --ace x"), farm_type("slurm", "", "sbatch")
    ('ngc', 'command')
    >>> farm_type("slurm", "", ""), farm_type("big", "slurm", "")
    ('slurm', 'slurm')
    """
    if type:
        return type
    if submit_cmd.split()[:3] == ["ngc", "batch", "run"]:
        return "ngc"
    return name if not submit_cmd and name in presets() else "command"


def _check_type(type: str, origin: str) -> None:
    """Raise a SettingsError for a type that neither runx nor a plug-in has."""
    types = [*presets(), "command"]
    if type in types or ":" in type:
        return
    from importlib.metadata import entry_points

    types += (point.name for point in entry_points(group="runx.farms"))
    if type not in types:
        raise SettingsError(f"{origin}: TYPE {type} is unknown; {remedy(type, types)}")


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
