"""Every key of an experiment and of a .runx file: what it holds, its default, what it is for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from runx.language.nearest import remedy

Kind = Literal[
    "text",
    "path",
    "words",
    "switch",
    "choice",
    "size",
    "mode",
    "resources",
    "paths",
    "hparams",
    "name",
    "args",
    "sweeps",
    "number",
    "seed",
    "count",
    "lines",
    "texts",
    "requeue",
    "values",
    "search",
]

IGNORED = ".git,*.pyc,__pycache__,*.pth"
"""CODE_IGNORE_PATTERNS where nobody says otherwise."""


class Key(NamedTuple):
    """One key: the kind of value it takes, its default as YAML, and what it is for."""

    kind: Kind
    default: str
    meaning: str
    choices: tuple[str, ...] = ()


KEYS = {
    "CMD": Key("text", "", "the training command, in the shell's own language"),
    "HPARAMS": Key("hparams", "", "hyperparameters: a mapping, or a list that inherits"),
    "SAMPLES": Key("number", "", "how many points are drawn of random axes"),
    "SEED": Key("seed", "0", "what random axes are drawn by"),
    "ARGS": Key("args", "{}", "how CMD is told its hyperparameters"),
    "RUN_NAME": Key("text", "", "what runs are called, as {wid}{sep}{sweep}"),
    "HPARAMS_FROM": Key("text", "", "a function that gives hyperparameters, as sweeps.py:by_arch"),
    "SWEEPS": Key("sweeps", "{}", "named HPARAMS that --sweep adds"),
    "CONFIG": Key("path", "", "the script's own YAML: defaults of its hyperparameters"),
    "EXTENDS": Key("words", "", "files whose settings this one builds on"),
    "EXP_NAME": Key("name", "", "the experiment's name and folder under LOGROOT"),
    "TITLE": Key("text", "", "what the experiment is about, shown by sumx"),
    "NOTE": Key("text", "", "what this launch is about, kept with it"),
    "LOGROOT": Key("path", "./runs", "the folder of all experiments"),
    "FARM": Key("name", "", "the farm that runs go to; a section of that name describes it"),
    "SUBMIT_CMD": Key("text", "", "the command that submits a run to the farm"),
    "TYPE": Key("name", "", "the kind of farm: slurm, sge, ..., or mymodule:farm"),
    "RESOURCES": Key("resources", "{}", "what a run needs, as flags of SUBMIT_CMD"),
    "PYTHONPATH": Key("search", "", "PYTHONPATH of the run; LOGDIR/code unless said otherwise"),
    "CODE_ROOT": Key("path", ".", "the folder that is frozen and where CMD starts"),
    "CODE_FROM": Key("name", "worktree", "what is frozen: worktree, or a git revision"),
    "CODE_IGNORE_PATTERNS": Key("words", IGNORED, "names that are left out of the frozen code"),
    "CODE_GITIGNORE": Key("switch", "true", "leave out what git ignores"),
    "CODE_LINKS": Key("words", "", "folders that are linked to instead of copied"),
    "CODE_MAX_SIZE": Key("size", "1GB", "the most that is frozen"),
    "CODE_STAGING": Key(
        "choice",
        "auto",
        "how a run gets its code",
        ("auto", "reflink", "link", "copy", "none"),
    ),
    "FILES": Key("paths", "{}", "files from elsewhere, by their name in the frozen code"),
    "GIT_DIRTY": Key(
        "choice", "record", "what to do about uncommitted changes", ("record", "warn", "error")
    ),
    "DIR_MODE": Key("mode", "", "the mode of each run's folders, in octal, as 0777"),
    "ARRAY": Key("switch", "", "submit runs as one array; from 20 runs on unless said otherwise"),
    "MAX_PARALLEL": Key("count", "", "the most runs of a launch that the farm may run at a time"),
    "REQUEUE": Key("requeue", "", "hand runs back to the scheduler when it warns of their end"),
    "DIRECTIVES": Key("lines", "", "raw lines of the job script, as #SBATCH --exclusive"),
    "SETUP": Key("text", "", "shell lines before the command, as module load cuda"),
    "TEARDOWN": Key("text", "", "shell lines after the command, however it ended"),
    "WRAP": Key("text", "", "what goes before the command, as srun or apptainer exec"),
    "LAUNCH": Key("choice", "", "torchrun: start the command on each GPU", ("", "torchrun")),
    "STDERR": Key(
        "choice",
        "together",
        "where stderr goes: output.log, or errors.log",
        ("together", "separate"),
    ),
    "ENV": Key("texts", "{}", "variables of the command's environment"),
    "ADDRESS": Key("name", "", "where Ray's dashboard or Kubernetes' context is"),
    "NAMESPACE": Key("name", "", "the Kubernetes namespace of the jobs"),
    "VOLUME": Key("name", "", "the Kubernetes volume claim of LOGROOT, as CLAIM:/mounted/at"),
    "RESUME": Key("switch", "false", "start only what is not done yet, as --resume"),
    "IDENTITY_IGNORE": Key("words", "", "hyperparameters, or CMD, that don't make runs different"),
    "IDENTITY_DEFAULTS": Key("values", "{}", "hyperparameters left out while equal to these"),
    "GPUS": Key("words", "", "names of this machine's GPUs, where nvidia-smi can't tell them"),
    "NGC_LOGROOT": Key("name", "", "where the NGC workspace is mounted, in jobs and here"),
    "WORKSPACE": Key("name", "", "the NGC workspace that runs are uploaded to"),
}

OF_A_FARM = (
    "ARRAY",
    "MAX_PARALLEL",
    "REQUEUE",
    "DIRECTIVES",
    "SETUP",
    "TEARDOWN",
    "WRAP",
    "LAUNCH",
    "ENV",
)
"""Keys that, said in a farm's section, mean its jobs alone: not what runs here with -i."""

MAPPINGS = ("resources", "paths", "texts", "values", "args", "sweeps")
"""Kinds whose values are merged key by key."""

OF_FILES = ("HPARAMS", "SWEEPS", "EXTENDS")
"""Keys that mean something in a file alone."""

FROM_ENVIRONMENT = tuple(name for name in KEYS if name not in OF_FILES)
"""Keys that a variable RUNX_<KEY> may set."""


def unknown(key: str, inner: Iterable[str], farms: Iterable[str]) -> str:
    """Say what was meant by a key nobody knows, or by those of a section none of which is known.

    >>> unknown("big", ["SUBMITCMD"], [])
    'unknown key SUBMITCMD in farm big; did you mean SUBMIT_CMD?'
    """
    told = remedy(key, [*KEYS, *farms])
    for name in () if "did you mean" in told else inner:
        if "did you mean" in (meant := remedy(name, KEYS)):
            return f"unknown key {name} in farm {key}; {meant}"
    return f"unknown key {key}; {told}"
