"""Projects, sweeps and results to measure on, the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

SETTINGS = """\
LOGROOT: {logroot}
FARM: here
CODE_STAGING: link
here:
  SUBMIT_CMD: submit_job
  RESOURCES:
    gpu: 1
"""


def axes(runs: int) -> dict[str, list[float]]:
    """Return hyperparameters whose product has this many runs: a digit and then zeros.

    >>> axes(10)
    {'lr': [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]}
    >>> [len(values) for values in axes(300).values()]
    [10, 10, 3]
    """
    first, tens = int(str(runs)[0]), len(str(runs)) - 1
    assert first * 10**tens == runs, runs
    sizes = [10] * tens + [first] * (first > 1)
    names = ["lr", "wd", "width", "depth", "seed", "fold"][: len(sizes)]
    values: dict[str, list[float]] = {
        name: list(range(1, size + 1)) for name, size in zip(names, sizes, strict=True)
    }
    if values:
        values["lr"] = [round(0.1 * n, 1) for n in values["lr"]]
    return values


def sweep(folder: Path, runs: int, cmd: str) -> None:
    """Write a sweep with a number of runs, and a .runx that the original reads too."""
    lines = [f"CMD: '{cmd}'", "HPARAMS:"]
    lines += [f"  {name}: {values}" for name, values in axes(runs).items()]
    (folder / "sweep.yml").write_text("\n".join([*lines, "  logdir: LOGDIR", ""]))
    (folder / ".runx").write_text(SETTINGS.format(logroot=folder / "logs"))


def code(folder: Path, files: int, size: int) -> None:
    """Write a number of files of ``size`` bytes each, twenty-five to a folder."""
    for number in range(files):
        package = folder / f"package{number // 25:03}"
        package.mkdir(exist_ok=True)
        (package / f"module{number:04}.py").write_bytes(b"# %08d\n" % number * (size // 11))


def results(logroot: Path, runs: int, epochs: int) -> None:
    """Write an experiment as runx and logx do, with every run done."""
    experiment = logroot / "sweep"
    (experiment / ".runx").mkdir(parents=True)
    points = product(*axes(runs).values())
    names = list(axes(runs))
    for number, values in enumerate(points):
        hparams = dict(zip(names, values, strict=True))
        run = experiment / f"brave-{number:06}_2026.02.06_14.19"
        (run / "attempts").mkdir(parents=True)
        planned = {**hparams, "logdir": "LOGDIR"}
        record = {"version": 1, "name": run.name, "cmd": "true", "hparams": planned, "created": 1.0}
        claim = {"version": 1, "host": "h", "boot": "b", "pid": 1, "start": 1, "farm": None}
        (run / "run.json").write_text(json.dumps(record, indent=2))
        (run / "hparams.json").write_text(json.dumps({**hparams, "logdir": str(run)}, indent=4))
        (run / "attempts" / "1.claim").write_text(json.dumps(claim))
        (run / "attempts" / "1.events.jsonl").write_text("".join(_events()))
        (run / "metrics.csv").write_text("".join(_rows(number, epochs)))


def _events() -> Iterator[str]:
    yield '{"event":"started","time":1770380000.1,"host":"h","boot":"b","pid":1,"start":1}\n'
    yield '{"event":"running","time":1770380000.2,"group":2}\n'
    yield '{"event":"ended","time":1770380900.3,"code":0}\n'


def _rows(number: int, epochs: int) -> Iterator[str]:
    yield "start,start/step,0,timestamp,1770380000.5\n"
    for epoch in range(epochs):
        acc = (number * 7919 + epoch * 104729) % 1000003 / 1000003
        yield (
            f"val,loss,{1 - acc},acc,{acc},iou,{acc / 2},precision,{acc / 3},recall,{acc / 4},"
            f"epoch,{epoch},timestamp,{1770380000.5 + 9 * epoch}\n"
        )
