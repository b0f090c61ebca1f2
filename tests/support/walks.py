"""Print how many functions of runx run on each walk of docs/architecture.md, as JSON.

Counted are the distinct functions, methods and properties with a name that are called between the
two ends of a walk, for two runs; modules are imported before.
"""

import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path

import runx
from runx.analysis.question import Question
from runx.analysis.read import Reader, read_experiment
from runx.analysis.table import runs_table
from runx.api import start
from runx.api.experiment import Experiment, SweepPlan
from runx.config.request import Request
from runx.export import data as _data  # noqa: F401  imported before it is counted
from runx.export.formats import format_table
from runx.farms.query import query, submitted_jobs
from runx.launching import jobs as _jobs  # noqa: F401  imported before it is counted
from runx.launching.plan import PlannedAttempt
from runx.launching.preview import lines
from runx.launching.routes import Route
from runx.logx import logx
from runx.rundir.attempts import current_state, read_attempts
from runx.rundir.paths import ExperimentDir, RunDir

PACKAGE = os.path.dirname(runx.__file__)
SCHEDULER = {
    "sbatch": "echo 12",
    "squeue": "echo '12|12|N/A|PENDING|x|None|'",
    "scontrol": "true",
    "sacct": "exit 1",
}
TRAIN = """import sys
from runx.logx import logx
logx.initialize(logdir=sys.argv[-1])
logx.metric("val", {"acc": 0.5}, 1)
"""


@contextlib.contextmanager
def counting(until=""):
    """Count the functions that are called in the context, up to the one of that name."""
    names, open_ = set(), [True]

    def note(frame, event, _):
        code = frame.f_code
        open_[0] = open_[0] and not (until and code.co_name == until)
        is_named = code.co_filename.startswith(PACKAGE) and not code.co_name.startswith("<")
        if event == "call" and open_[0] and is_named:
            names.add((code.co_filename, code.co_firstlineno))

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        sys.setprofile(note)
        try:
            yield names
        finally:
            sys.setprofile(None)


def hyperparameter():
    """From the file to the command of each run."""
    request = Request(Path("sweep.yml"), Path.cwd(), dict(os.environ), here=True)
    with counting() as names:
        sweep = SweepPlan.of(Experiment.of(request).settings, placeholders=True)
        list(lines([Route(sweep.settings, list(map(PlannedAttempt, sweep.runs())))]))
    return len(names)


def metric_out():
    """From logx.metric to metrics.csv, after the first row."""
    logx.initialize(logdir="logged")
    with counting():
        logx.metric("val", {"acc": 0.5}, 1)
    with counting() as names:
        logx.metric("val", {"acc": 0.5}, 2)
    return len(names)


def metric_back():
    """From the files of an experiment to its table."""
    question = Question(sortwith=("acc",))
    reader = Reader(question.measures, print, attempts=False)
    experiment = ExperimentDir(Path("runs/sweep").absolute())
    with counting() as names:
        format_table("table", runs_table(read_experiment(experiment, reader), question))
    return len(names)


def submission():
    """From a plan of runs whose directories are made to the process of sbatch."""
    counts, submit = [], start._submit

    def counted(*args):
        with counting(until="run_command") as names:
            launched = submit(*args)
        counts.append(len(names))
        return launched

    start._submit = counted
    runx.launch(runx.load("farm.yml").plan())
    return counts[0]


def state_back():
    """From the files of submitted runs and the scheduler's answer to their states."""
    experiment = ExperimentDir(Path("runs/farm").absolute())
    names = sorted(path.name for path in experiment.path.iterdir() if path.name[0] != ".")
    runs = [RunDir(experiment.path / name) for name in names]
    with counting() as functions:
        attempts = {run: read_attempts(run, time.time, print) for run in runs}
        statuses = query(submitted_jobs(attempts.items(), print), print)
        states = [current_state(run, known, statuses, time.time) for run, known in attempts.items()]
    assert [state.name for state, _ in states] == ["queued", "queued"]
    return len(functions)


def main():
    """Make a project in this folder, and walk."""
    Path("train.py").write_text(TRAIN)
    hparams = "HPARAMS: {lr: [0.1, 0.2], logdir: LOGDIR}\n"
    Path("sweep.yml").write_text(f"CMD: python train.py\n{hparams}")
    Path("farm.yml").write_text(f"CMD: python train.py\nFARM: c\nc: {{TYPE: slurm}}\n{hparams}")
    Path("bin").mkdir()
    for name, text in SCHEDULER.items():
        program = Path("bin", name)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    os.environ["PATH"] = f"{Path('bin').absolute()}:{os.environ['PATH']}"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        runx.launch(runx.load("sweep.yml").plan(), here=True)
        submitted = submission()
    walks = {
        "a hyperparameter to argv": hyperparameter(),
        "a metric to metrics.csv": metric_out(),
        "metrics.csv to a table": metric_back(),
        "a plan to sbatch": submitted,
        "the state of a job back": state_back(),
    }
    print(json.dumps(walks))


main()
