"""Runs of a search with a run.sh, each with what it falls back to."""

import os

from runx.rundir.bound_script import bound_text, command_of
from runx.rundir.claims import claim_text
from runx.rundir.paths import ExperimentDir
from runx.rundir.run import Run
from runx.rundir.script import ScriptSettings, script
from runx.rundir.searches import point_text, search_dir
from runx.rundir.shell import PLAIN
from runx.sweeps.values import Hparam, Point, Trial

TRIAL = Trial("search-1a2b", 7)
BINDS = """\
#!/bin/sh
cd "$1" && echo "bound $1 $#" >>../../journal
sed 's/fallback/chosen/' fallback.sh >bound.sh
"""


def made(tmp_path, cmd='echo "$RUNX_SEARCH"', name="wise-owl", shell=PLAIN, farm=None):
    """Make a run of a search as a launch does; its fallback has `a`: fallback."""
    experiment = ExperimentDir(tmp_path / "sweep")
    run = Run(name, experiment.run(name), Point((), trial=TRIAL))
    run.dir.code.mkdir(parents=True)
    run.dir.attempts.mkdir()
    around = ScriptSettings("sweep", cmd, "LOGDIR/code", os.environ["PATH"], "/p", shell=shell)
    run.dir.script.write_text(script(run, around))
    run.dir.claim(1).write_text(claim_text(farm, None))
    point = Point((Hparam("a", "fallback", "fallback"),))
    run.dir.fallback.write_text(bound_text(command_of(run, around), run.dir, point))
    place = search_dir(experiment, TRIAL.search)
    place.points.mkdir(parents=True, exist_ok=True)
    place.fallback(7).write_text(point_text({"a": "fallback"}, "qmc", 0))
    binds(run.dir, BINDS)
    return run.dir


def place_of(run):
    return search_dir(ExperimentDir(run.path.parent), TRIAL.search)


def binds(run, text):
    place_of(run).program.write_text(text)
    place_of(run).program.chmod(0o755)
