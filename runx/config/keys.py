"""Every setting of an experiment and of a .runx file.

``runx config``, completion, ``runx schema`` and the tests of the documents read this table, too.
To add a setting, write its entry here and its section in docs/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from runx.config.alternatives import CAPACITY, FARM, RESOURCES
from runx.config.guards import REQUEUE, RETRIES, SMOKE
from runx.config.kinds import (
    COUNT,
    DURATION,
    LABELS,
    LINES,
    MODE,
    NAME,
    NUMBER,
    PATH,
    PRIORITY,
    SEARCH_PATH,
    SEED,
    SIZE,
    SWITCH,
    TEXT,
    WORDS,
    Entry,
    Environment,
    Kind,
    one_of,
)
from runx.config.mappings import (
    AFTER,
    ARGS,
    HPARAMS,
    LIMITS,
    PATHS,
    STEPS,
    SWEEPS,
    TEXTS,
    TYPES,
    VALUES,
)
from runx.config.metrics import METRICS
from runx.config.notify import NOTIFY
from runx.config.search import SEARCH
from runx.sweeps.values import Scalar

Scope = Literal["anywhere", "file", "host", "jobs", "farm"]
"""Where a setting may stand, and for which runs it holds.

``anywhere`` is a file, a variable RUNX_<KEY> or an override; ``file`` is a file alone, and ``host``
the user's or the machine's file alone. The other two may stand anywhere. In the section of a farm,
``jobs`` hold for its jobs, not for runs here (-i); ``farm`` are passed to the farm's type, since
only some types read them.
"""


class Key(NamedTuple):
    """A setting: the kind of value it takes, its default as YAML has it, and its meaning."""

    kind: Kind
    default: Any
    meaning: str
    scope: Scope = "anywhere"

    @property
    def default_text(self) -> str:
        """The default as people write it; empty where there is none."""
        if isinstance(self.default, bool):
            return "true" if self.default else "false"
        return "" if self.default is None else str(self.default)

    def value(self, name: str, entry: Entry | None, cwd: Path, environment: Environment) -> Any:
        """Return the value of a setting: its default where it is not set, or set to nothing."""
        value = self.kind.decode(name, entry, environment) if entry else None
        if value is not None and not value == "" == self.kind.empty:
            return value
        if isinstance(self.default, str):
            text = Scalar(self.default, self.default, plain=False)
            return self.kind.decode(name, Entry(text, "default", cwd), environment)
        return self.kind.empty if self.default in (None, {}) else self.default


KEYS = {
    "CMD": Key(TEXT, None, "the training command, in the shell's own language"),
    "HPARAMS": Key(HPARAMS, None, "hyperparameters: a mapping, or a list that inherits", "file"),
    "HPARAMS_TYPES": Key(TYPES, {}, "what hyperparameters may be, as {lr: {type: float, min: 0}}"),
    "STEPS": Key(
        STEPS,
        {},
        "the steps of each run instead of CMD, as {eval: {CMD: ..., AFTER: train}}, or a function",
        "file",
    ),
    "SAMPLES": Key(NUMBER, None, "how many points are drawn of random axes"),
    "SEED": Key(SEED, 0, "what random axes are drawn by, and searches choose by"),
    "SEARCH": Key(
        SEARCH,
        {},
        "points chosen by what earlier ones measured, as {metric: acc, goal: maximize, trials: 60}",
        "file",
    ),
    "ARGS": Key(ARGS, {}, "how CMD is told its hyperparameters"),
    "RUN_NAME": Key(TEXT, None, "what runs are called, as {wid}{sep}{sweep}"),
    "NAMES": Key(
        TEXTS, {}, "placeholders of names, as {size: \"{{ 'big' if width > 512 else 's' }}\"}"
    ),
    "HPARAMS_FROM": Key(
        WORDS, None, "functions that give hyperparameters, as sweeps.py:by_arch; several cross"
    ),
    "SWEEPS": Key(
        SWEEPS, {}, "named HPARAMS, or functions that give them, that --sweep adds", "file"
    ),
    "CONFIG": Key(PATH, None, "the script's own YAML, JSON or TOML, as defaults of HPARAMS"),
    "METRICS": Key(
        METRICS,
        {},
        "metrics of scripts without logx: patterns over what they print, or their files",
        "file",
    ),
    "AFTER": Key(AFTER, {}, "sweeps or runs to wait for, as other, or {other: ended}"),
    "EXTENDS": Key(WORDS, None, "files whose settings this one builds on", "file"),
    "EXP_NAME": Key(NAME, None, "the experiment's name and folder under LOGROOT"),
    "TITLE": Key(TEXT, None, "what the experiment is about, shown by sumx"),
    "LABELS": Key(LABELS, None, "words that experiments are found by, with --label"),
    "NOTE": Key(TEXT, None, "what this launch is about, kept with it"),
    "NOTIFY": Key(
        NOTIFY, None, "a command or a URL that is told when a sweep ends or a run fails first"
    ),
    "LOGROOT": Key(PATH, "./runs", "the folder of all experiments"),
    "FARM": Key(
        FARM,
        None,
        "the farm that runs go to, which a section of that name describes; several, auto or soonest"
        " to have it chosen by CAPACITY",
    ),
    "SUBMIT_CMD": Key(TEXT, None, "the command that submits a run to the farm"),
    "TYPE": Key(NAME, None, "the kind of farm: slurm, sge, ..., or mymodule:farm"),
    "RESOURCES": Key(RESOURCES, {}, "what a run needs, here or as flags of SUBMIT_CMD", "jobs"),
    "CAPACITY": Key(CAPACITY, None, "the most that a farm has for one run; auto: measure", "jobs"),
    "PYTHONPATH": Key(
        SEARCH_PATH, None, "PYTHONPATH of the run; LOGDIR/code unless said otherwise"
    ),
    "CODE_ROOT": Key(PATH, ".", "the folder that is frozen and where CMD starts"),
    "CODE_FROM": Key(NAME, "worktree", "what is frozen: worktree, or a git revision"),
    "CODE_IGNORE_PATTERNS": Key(
        WORDS, ".git,*.pyc,__pycache__,*.pth", "names that are left out of the frozen code"
    ),
    "CODE_GITIGNORE": Key(SWITCH, True, "leave out what git ignores"),
    "CODE_LINKS": Key(WORDS, None, "folders that are linked to instead of copied"),
    "CODE_MAX_SIZE": Key(SIZE, "1GB", "the most that is frozen"),
    "CODE_STAGING": Key(
        one_of("auto", "reflink", "link", "copy", "none"), "auto", "how a run gets its code"
    ),
    "FILES": Key(PATHS, {}, "files from elsewhere, by their name in the frozen code"),
    "GIT_DIRTY": Key(
        one_of("record", "warn", "error", "ask"), "record", "what to do about uncommitted changes"
    ),
    "DIR_MODE": Key(MODE, None, "the mode of each run's folders, in octal, as 0777"),
    "ARRAY": Key(
        SWITCH, None, "submit runs as one array; from 20 runs on unless said otherwise", "jobs"
    ),
    "MAX_PARALLEL": Key(COUNT, None, "the most runs of a launch that may run at a time", "jobs"),
    "RUNS_PER_JOB": Key(
        COUNT, None, "how many runs a job of a farm executes, each with GPUs of its own", "jobs"
    ),
    "PRIORITY": Key(
        PRIORITY, None, "from -10 to 10: higher starts sooner, here and on a farm", "jobs"
    ),
    "REQUEUE": Key(
        REQUEUE, None, "hand runs back to the scheduler when it warns of their end", "jobs"
    ),
    "RETRIES": Key(
        RETRIES, None, "start failed runs again, as {max: 2, on: [oom, node, timeout]}", "jobs"
    ),
    "MAX_FAILURES": Key(
        COUNT, None, "how many failures in a row for one cause hold what waits", "jobs"
    ),
    "SMOKE": Key(
        SMOKE,
        None,
        "try the first run before the others, as {time: 60s, farm: debug}",
        "jobs",
    ),
    "AVOID_HOSTS": Key(
        SWITCH, True, "pass by machines on which runs fail at once while others are done elsewhere"
    ),
    "DIRECTIVES": Key(LINES, None, "raw lines of the job script, as #SBATCH --exclusive", "jobs"),
    "SETUP": Key(TEXT, None, "shell lines before the command, as module load cuda", "jobs"),
    "SETUP_MAY_FAIL": Key(SWITCH, False, "run the command although SETUP has failed", "jobs"),
    "TEARDOWN": Key(TEXT, None, "shell lines after the command, however it ended", "jobs"),
    "WRAP": Key(TEXT, None, "what goes before the command, as srun or apptainer exec", "jobs"),
    "LAUNCH": Key(one_of("", "torchrun"), None, "torchrun: start the command on each GPU", "jobs"),
    "LINGER": Key(DURATION, 30, "seconds, or as 10m, that what the command left may go on", "jobs"),
    "STDERR": Key(
        one_of("together", "separate"), "together", "where stderr goes: output.log, or errors.log"
    ),
    "ENV": Key(TEXTS, {}, "variables of the command's environment", "jobs"),
    "ADDRESS": Key(NAME, None, "where Ray's dashboard or Kubernetes' context is", "farm"),
    "NAMESPACE": Key(NAME, None, "the Kubernetes namespace of the jobs", "farm"),
    "VOLUME": Key(
        NAME, None, "the Kubernetes volume claim of LOGROOT, as CLAIM:/mounted/at", "farm"
    ),
    "PRIORITY_CLASSES": Key(
        NAME, None, "the Kubernetes priority classes of PRIORITY, as low=-5,high=5", "farm"
    ),
    "RESUME": Key(SWITCH, False, "start only what is not done yet, as --resume"),
    "RESTAGE": Key(
        one_of("auto", "never", "failed", "always"),
        "auto",
        "which runs take today's code when they start again; auto: those that left nothing",
    ),
    "IDENTITY_IGNORE": Key(WORDS, None, "hyperparameters, or CMD, that don't make runs different"),
    "IDENTITY_DEFAULTS": Key(VALUES, {}, "hyperparameters left out while equal to these"),
    "GPUS": Key(WORDS, None, "names of this machine's GPUs, where nvidia-smi can't tell them"),
    "LIMITS": Key(
        LIMITS, {}, "how much all runs on this machine may have, as {licences: 2, mem: 64G}", "host"
    ),
    "NGC_LOGROOT": Key(NAME, None, "where the NGC workspace is mounted, in jobs and here", "farm"),
    "WORKSPACE": Key(NAME, None, "the NGC workspace that runs are uploaded to", "farm"),
}
