"""Batches of runs for a farm of any kind, without a project."""

from dataclasses import dataclass, replace
from pathlib import Path

from runx.farms import Errand, kind_of
from runx.plans.experiment import Farm
from runx.rundir import ExperimentDir
from runx.schedulers.batches import About, batches
from runx.schedulers.delivering import Order
from runx.sweeps.values import Hparam

ABOUT = About("1st sweep%", "2026-11-20T22.18.16Z-846a97", Path("/l/jobs"), Path("/l/1st sweep%"))
OPTIONS = {"WORKSPACE": "ws", "NGC_LOGROOT": "/mnt", "VOLUME": "claim"}
NEEDED = {"kubernetes": [Hparam("image", "torch", "torch")]}


def errands(type, count=1, resources=()):
    return [
        Errand(
            experiment="1st sweep%",
            run=f"run-{number}",
            tag="",
            logdir=Path(f"/l/1st sweep%/run-{number}"),
            script=Path(f"/l/1st sweep%/run-{number}/run.sh"),
            command="python train.py",
            hparams={},
            resources=(*NEEDED.get(type, []), *resources),
        )
        for number in range(count)
    ]


def farm_of(type, **more):
    return Farm("mine", type=type, options=OPTIONS, **more)


@dataclass
class Place:
    """As much of an experiment as a delivery looks at."""

    dir: ExperimentDir


@dataclass
class Launch:
    """As much of a launch as a delivery looks at."""

    experiment: Place
    launch: str = ABOUT.launch


def an_order(path, type="slurm", count=2, say=print):
    """Make directories of so many runs, and give the order to submit them."""
    order = Order(
        Launch(Place(ExperimentDir(path / "sweep"))),
        farm_of(type)._replace(name="cluster"),
        kind_of(type),
        {one.run: 1 for one in errands(type, count)},
        say,
    )
    order.folder.mkdir(parents=True)
    for name in order.attempts:
        order.kit.experiment.dir.run(name).attempts.mkdir(parents=True)
    return order


def a_batch(order, array=False):
    """Give the runs of an order as a batch, or the first of them."""
    home = order.kit.experiment.dir
    some = errands(order.farm.type, len(order.attempts) if array else 1)
    some = [replace(one, logdir=home.run(one.run).path) for one in some]
    about = ABOUT._replace(folder=order.folder, home=home.path)
    [batch] = batches(some, order.farm._replace(array=array), order.kind, 1000, about)
    return batch


def commands(folder, monkeypatch):
    """Give a function that puts a scheduler's command on PATH, where nothing else is."""
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def add(name, text):
        (folder / name).write_text(f"#!/bin/bash\nPATH=/usr/bin:/bin\n{text}\n")
        (folder / name).chmod(0o755)

    return add
