"""Jobs and job arrays for a farm of any type, without a project."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from runx.farms import submit
from runx.farms.base import Farm, FarmType, JobSpec
from runx.farms.jobs import job_arrays
from runx.farms.registry import farm_type_of
from runx.rundir.claims import claim_text, take
from runx.rundir.paths import ExperimentDir, RunDir
from runx.sweeps.values import Hparam

LAUNCH = "2026-11-20T22.18.16Z-846a97"
HOME = ExperimentDir(Path("/l/1st sweep%"))
OPTIONS = {"WORKSPACE": "ws", "NGC_LOGROOT": "/mnt", "VOLUME": "claim"}
NEEDED = {"kubernetes": [Hparam("image", "torch", "torch")]}


def specs(type, count=1, resources=(), home=HOME):
    return [
        JobSpec(
            name=f"1st sweep%_run-{number}",
            experiment="1st sweep%",
            run=f"run-{number}",
            tag="",
            dir=home.run(f"run-{number}"),
            attempt=1,
            resources=(*NEEDED.get(type, []), *resources),
            template_values=lambda: {"command": "python train.py", "hparams": {}},
        )
        for number in range(count)
    ]


def farm_of(type, **more):
    command = "submit_job --now" if type == "command" else ""
    return Farm("mine", command, type=type, options=OPTIONS, **more)


def arrays_of(type, count=1, resources=(), largest=1000, jobs=None, **more):
    """Return a farm, and the arrays as which ``count`` jobs would be submitted to it."""
    farm = farm_of(type, **more)
    jobs = specs(type, count, resources) if jobs is None else jobs
    return farm, list(job_arrays(jobs, farm, farm_type_of(type), HOME.jobs(LAUNCH), largest))


class Site(NamedTuple):
    """A launch of some runs whose directories are made, and the farm that they go to."""

    home: ExperimentDir
    farm: Farm
    type: FarmType
    jobs: list[JobSpec]
    messages: list[str]

    @property
    def folder(self):
        return self.home.jobs(LAUNCH)

    @property
    def runs(self):
        return [RunDir(job.dir.path) for job in self.jobs]

    def array(self, is_array=True):
        """Return all jobs as one array, or the first of them alone."""
        farm = self.farm._replace(array=is_array)
        jobs = self.jobs if is_array else self.jobs[:1]
        [array] = job_arrays(jobs, farm, self.type, self.folder, 1000)
        return array

    def submit(self, jobs=None, array=True, after=()):
        farm = self.farm._replace(array=array and self.type.arrays)
        jobs = self.jobs if jobs is None else jobs
        return submit.submit(farm, jobs, self.folder, None, self.messages.append, after)

    def claim(self, array=True):
        """Claim the attempts as a launcher does before it submits."""
        launch = submit._Launch(
            self.farm, self.type, None, len(self.jobs), -1, self.messages.append, None, {}
        )
        return submit._claim(self.array(array), launch)


def site(path, type="slurm", count=2):
    """Return a launch of ``count`` runs, whose directories are made, that can submit them."""
    home = ExperimentDir(path / "sweep")
    farm = farm_of(type)._replace(name="cluster")
    made = Site(home, farm, farm_type_of(type), specs(type, count, home=home), [])
    made.folder.mkdir(parents=True)
    for job in made.jobs:
        job.dir.attempts.mkdir(parents=True)
    return made


def later(jobs, attempt):
    """Return jobs of a further attempt of their runs, the one before claimed by this process."""
    for job in jobs:
        take(job.dir, attempt - 1, claim_text("cluster", None, LAUNCH))
    return [replace(job, attempt=attempt) for job in jobs]


def commands(folder, monkeypatch):
    """Return a function that puts a scheduler's command on PATH, where nothing else is."""
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name, text):
        (folder / name).write_text(f"#!/bin/bash\nPATH=/usr/bin:/bin\n{text}\n")
        (folder / name).chmod(0o755)

    return add


def name_of(place):
    """Return the name by which a scheduler has the array of a place."""
    return place.type.job_name(place.array())


def tasks(place, *states):
    """Return a shell command that prints what squeue lists of an array 71 in these states."""
    lines = (f"71|{task}|{state}|None|{name_of(place)}" for task, state in enumerate(states))
    return "; ".join(f"echo '{line}'" for line in lines)
