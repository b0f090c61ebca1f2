"""What is to be run: everything that the settings say, decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.cmdline.script import PLAIN, Shell
from runx.cmdline.styles import Style
from runx.rundir import ExperimentDir
from runx.sweeps.grid import Beside
from runx.sweeps.identity import Identity
from runx.sweeps.values import Hparam, Node

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
