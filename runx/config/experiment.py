"""An experiment: what is run, as all the settings decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config.guards import Smoke
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.search import SearchSettings
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.rundir.handback import Retries
from runx.rundir.notify import Notify
from runx.rundir.paths import ExperimentDir
from runx.rundir.shell import PLAIN, Shell
from runx.rundir.styles import Style
from runx.sweeps.grid import SweepContext
from runx.sweeps.identity import Identity
from runx.sweeps.overrides import Override
from runx.sweeps.values import Hparam, Node, Point, Scalar

if TYPE_CHECKING:
    from runx.config.best import Best
    from runx.farms.base import Farm
    from runx.farms.resources import Limit, Needs
    from runx.rundir.configfile import ConfigFile
    from runx.rundir.numbers import Number
    from runx.rundir.steps import Step, When
    from runx.sweeps.hparam_types import HparamType


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


CODE_KEYS = {
    "root": "CODE_ROOT",
    "source": "CODE_FROM",
    "ignore": "CODE_IGNORE_PATTERNS",
    "gitignore": "CODE_GITIGNORE",
    "links": "CODE_LINKS",
    "files": "FILES",
    "max_size": "CODE_MAX_SIZE",
    "staging": "CODE_STAGING",
    "git_dirty": "GIT_DIRTY",
}
"""The setting of each field of Code."""


class Setting(NamedTuple):
    """A setting as ``runx config`` shows it: its text, and the source that set it."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True, eq=False)
class Settings(Mapping[str, Setting]):
    """Every setting that has a value, by its key, as ``runx config`` shows it.

    ``hparams`` is HPARAMS with all that is laid over it. Texts are made when they are asked for:
    most launches show none.
    """

    entries: Mapping[str, Entry]
    hparams: Node
    overrides: Sequence[Override]

    def __getitem__(self, name: str) -> Setting:
        if name == "HPARAMS":
            sources = [key for key in (name, "HPARAMS_FROM", "CONFIG") if key in self.entries]
            origins = [self.entries[key].origin for key in sources]
            origins += [each.text for each in self.overrides if not each.is_setting]
            return Setting(_text_of(self.hparams), ", ".join(origins))
        if name in self.entries:
            return Setting(_text_of(self.entries[name].node), self.entries[name].origin)
        if KEYS[name].default is None:
            raise KeyError(name)
        return Setting(KEYS[name].default_text, "default")

    def __iter__(self) -> Iterator[str]:
        defaults = (name for name, key in KEYS.items() if key.default is not None)
        return iter(dict.fromkeys((*self.entries, *defaults, "HPARAMS")))

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
    file of defaults is ``config``.
    ``texts`` are what names may hold of a launch, ``names`` are NAMES; ``number`` is there where a
    name holds it. At most ``max_parallel`` runs go on at a time; ``limits`` are LIMITS.
    ``functions`` of the project give hyperparameters, each with the setting that names it.
    ``search`` is SEARCH, ``best`` are points with which earlier runs were the best. ``entries`` are
    the settings as they were written. ``metrics`` is METRICS, None where that is not set. ``text``
    is what stands for the file, where there is none. ``steps`` are STEPS, each after those that it
    waits for; ``farms`` are those that some of them name, by their names.

    ``resources`` are the first of the ``alternatives`` of RESOURCES. Runs may go to any of
    the ``candidates``, each the experiment as it is for one farm: the first that has what they
    need, or the one where they start ``soonest``. ``capacity`` is what its farm, or this machine,
    has for one of them: None where that is not known, or measured. ``max_failures`` in a row for
    one cause hold what waits.
    """

    name: str
    dir: ExperimentDir
    file: Path
    logroot: Path
    cmd: str
    hparams: Node
    at: Callable[..., str]
    sweep_context: SweepContext
    style: Style
    config: ConfigFile | None
    run_name: str
    texts: Mapping[str, str]
    tag: str
    cooldir: bool
    farm: Farm | None
    resources: tuple[Hparam, ...]
    alternatives: tuple[tuple[Hparam, ...], ...]
    pythonpath: str
    code: Code
    dir_mode: int | None
    resume: bool
    restage: str
    identity: Identity
    gpus: tuple[str, ...]
    title: str
    note: str
    settings: Mapping[str, Setting]
    sources: tuple[Path, ...]
    warnings: tuple[str, ...]
    shell: Shell = PLAIN
    max_parallel: int | None = None
    priority: int = 0
    limits: Mapping[str, Limit] = {}
    labels: tuple[str, ...] = ()
    types: Mapping[str, HparamType] = {}
    functions: Mapping[str, str] = {}
    names: Mapping[str, str] = {}
    number: Number | None = None
    text: str | None = None
    entries: Mapping[str, Entry] = {}
    metrics: Mapping[str, Mapping[str, str]] | None = None
    notify: Notify | None = None
    retries: Retries | None = None
    max_failures: int | None = None
    smoke: Smoke | None = None
    avoid_hosts: bool = True
    after: Mapping[str, When] = {}
    steps: tuple[Step, ...] = ()
    farms: Mapping[str, Farm] = {}
    capacity: Needs | None = None
    candidates: tuple[Experiment, ...] = ()
    soonest: bool = False
    search: SearchSettings | None = None
    best: Best | None = None

    @property
    def place(self) -> str:
        """The name of the farm, or of this machine."""
        return self.farm.name if self.farm else LOCAL

    @property
    def may_run_here(self) -> bool:
        """Whether runs may be made on this machine."""
        return any(each.farm is None for each in self.candidates or (self,))

    def id_of(self, point: Point) -> str:
        """Return the identity of a point's run: that of equal CMD and hyperparameters anywhere."""
        values = {hparam.name: hparam.value for hparam in point.hparams}
        return self.identity.of(self.cmd, values, point.trial)


LOCAL = "local"
"""The farm that is this machine: no section describes it."""


def presets() -> list[str]:
    """Return the types of farms that need no SUBMIT_CMD; a farm of that name is of that type.

    >>> "slurm" in presets(), "command" in presets()
    (True, False)
    """
    from runx.farms.registry import FARMS

    return [name for name in FARMS if name != "command"]


def farm_of(name: str, values: Mapping[str, Any], entries: Mapping[str, Entry]) -> Farm:
    """Return the farm that the settings describe.

    Raises:
        SettingsError: Its TYPE is unknown, or it has neither a TYPE nor a SUBMIT_CMD.
    """
    type = farm_type(name, values["TYPE"], values["SUBMIT_CMD"])
    if values["TYPE"]:
        _check_type(type, entries["TYPE"].origin)
    if not values["SUBMIT_CMD"] and type == "command":
        raise SettingsError(
            f"{entries['FARM'].origin}: farm {name} has no SUBMIT_CMD, nor a TYPE;"
            " see docs/runx-file.md"
        )
    from runx.farms.base import Farm  # not at start: most launches run here

    return Farm(
        name=name,
        submit_cmd=values["SUBMIT_CMD"],
        type=type,
        array=values["ARRAY"],
        max_parallel=values["MAX_PARALLEL"],
        priority=values["PRIORITY"] or 0,
        limits=values["LIMITS"],
        requeue=values["REQUEUE"],
        retries=values["RETRIES"],
        directives=values["DIRECTIVES"],
        capacity=capacity_of(name, values, entries),
        options={
            name: values[name] for name, key in KEYS.items() if key.scope == "farm" and values[name]
        },
        runs_per_job=values["RUNS_PER_JOB"] or 1,
    )


def capacity_of(name: str, values: Mapping[str, Any], entries: Mapping[str, Entry]) -> Needs | None:
    """Return the CAPACITY of a farm, None where it is not said, or to be measured."""
    capacity: Needs | str | None = values["CAPACITY"]
    if not isinstance(capacity, str):
        return capacity
    if name != LOCAL:
        raise SettingsError(
            f"{entries['CAPACITY'].origin}: CAPACITY: {capacity} measures this machine, which is"
            f" {LOCAL}; of {name} write what it has, as {{gpus: 8, gpu_mem: 80G, time: 3d}}"
        )
    return None


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
        raise SettingsError(f"{origin}: TYPE {type} is unknown; {suggestion(type, types)}")


def shell_of(values: Mapping[str, Any]) -> Shell:
    """Return what stands around the command in run.sh."""
    return Shell(
        setup=values["SETUP"].strip("\n"),
        teardown=values["TEARDOWN"].strip("\n"),
        wrap=values["WRAP"].strip(),
        launch=values["LAUNCH"],
        environment=tuple(values["ENV"].items()),
        separate=values["STDERR"] == "separate",
        setup_may_fail=values["SETUP_MAY_FAIL"],
        linger=values["LINGER"],
    )
