"""Searches written by hand, as launches, bindings and runs leave them."""

import json

from run_folders import make_run

from runx.rundir.paths import ExperimentDir
from runx.rundir.searches import Search, point_text, search_dir, write_search
from runx.sweeps.values import Scalar

NAME = "main-1a2b3c4d"


def search_of(name=NAME, **more):
    """Return a search over lr and opt by val loss."""
    lr = {"loguniform": [Scalar(1e-4, "1e-4"), Scalar(1.0, "1")]}
    opt = {"choice": [Scalar("sgd", "sgd"), Scalar("adam", "adam")]}
    fields = {
        "metrics": ("loss",),
        "goals": ("minimize",),
        "trials": 10,
        "searched": ("lr", "opt"),
        "hparams": {"lr": lr, "opt": opt},
        "sampler": "tpe",
        "seed": "0",
    }
    return Search(name, **{**fields, **more})


def make_search(experiment, search=None):
    """Write the directory of a search."""
    search = search or search_of()
    write_search(search_dir(ExperimentDir(experiment), search.name), search)
    return search


def make_trial(experiment, number, values=None, losses=(), *, name=NAME, seed=None, **more):
    """Write a run of a search, and its point where it has ``values``; more is for its events."""
    folder = experiment / f"run-{number:02}{'' if seed is None else f'-{seed}'}"
    fixed = {} if seed is None else {"seed": seed}
    events = more.pop("events", None)
    known, sampler = more.pop("known", number - 1), more.pop("sampler", "tpe")
    make_run(
        folder,
        {**fixed, **(values or {})},
        losses,
        name="loss",
        search={"name": name, "point": number},
        **more,
    )
    if events is not None:
        lines = [json.dumps(event) for event in events]
        (folder / "attempts/1.events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if values is None:
        (folder / "hparams.json").unlink()
    else:
        file = search_dir(ExperimentDir(experiment), name).point(number)
        if not file.exists():
            file.write_text(point_text(values, sampler, known))
    return folder


def pruned(why="epoch 3: 4th of 5; the best 1 goes on", time=9):
    """Return the events of a run that was stopped early."""
    ended = {"event": "ended", "time": time, "code": 0, "pruned": why}
    return [{"event": "started", "time": 0}, ended]


def write_rung(experiment, epoch, values, name=NAME):
    """Write what runs had at an epoch."""
    folder = search_dir(ExperimentDir(experiment), name).rung(epoch)
    folder.mkdir(parents=True, exist_ok=True)
    for point, (run, value) in enumerate(values.items(), 1):
        (folder / f"{run}={point}={value}").touch()
