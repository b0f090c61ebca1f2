"""Reading: the table of metrics, the table of states, and what --resume has left to start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import projects
from benchmarks.commands import BARE, HERE, OURS, PEERS, has, peer, timed
from benchmarks.turns import Case, Cost, Job
from runx.analysis.index import SETTLED

_SUMX = ("sweep", "--logroot", "logs", "--sortwith", "acc")
_EPOCHS = 100
# Readers that take seconds for what others read in milliseconds.
_SLOW = 100


def jobs(full: bool) -> Iterator[Job]:
    """Yield the jobs of reading runs back."""
    for runs in (100, 1_000, 10_000) if full else (100, 1_000):
        peers = _SLOW if not full else 1_000
        first, second, resumed = list(_first(runs, peers)), list(_second()), list(_resumed())
        several = f"{runs:,} runs of {_EPOCHS} epochs"
        bytes_ = "at most 2.5 x, under 200 MB"
        yield _job(f"`sumx` and `runx status`, {several}, the first look", bytes_, first, runs)
        yield _job(f"`sumx` and `runx status` again, {several}", "at most 2.5 x", second, runs)
        yield _job(f"`runx --resume`, {runs:,} runs done", "at most 3 x", resumed, runs)


def _job(title: str, target: str, cases: list[Case], runs: int) -> Job:
    return Job("read", title, target, cases, runs, 5, lambda ground: _fill(ground, runs, cases))


def _fill(ground: Path, runs: int, cases: list[Case]) -> None:
    projects.results(ground / "logs", runs, _EPOCHS)
    projects.sweep(ground, runs, "true")
    names = {case.name for case in cases}
    if _UNCHANGED in names:
        # A file just written may yet change and keep its stamp: the index leaves it out.
        time.sleep(SETTLED / 1e9 + 1)
        _sumx(ground)
    if _TENSORBOARD in names:
        words = (str(ground / "events"), str(runs), str(_EPOCHS))
        timed(PEERS.script("peers", "tensorboard/fill", *words), ground, PEERS)
    if _MLXP in names:
        seeds = ",".join(map(str, range(runs)))
        words = ("app.py", f"seed={seeds}", f"epochs={_EPOCHS}")
        timed(PEERS.words(*words), peer("mlxp", ground / "mlxp"), PEERS)


_TENSORBOARD, _MLXP = "TensorBoard's EventAccumulator", "MLXP's Reader"
_UNCHANGED = "**sumx**, nothing changed"


def _first(runs: int, peers: int) -> Iterator[Case]:
    yield Case("read the bytes", lambda ground, _: _floor("read", ground))
    yield Case("parse and print in plain Python", lambda ground, _: _floor("parse", ground))
    yield Case("**sumx**", lambda ground, _: _sumx(_without_index(ground)))
    yield Case("**runx status**", lambda ground, _: _status(_without_index(ground)))
    if has(PEERS, "runx"):
        words = PEERS.entry("sumx", "sweep", "--sortwith", "acc")
        yield Case("original sumx", lambda ground, _: timed(words, ground, PEERS))
    if has(PEERS, "polars"):
        yield _reader("polars, a file each", "polars", "logs/sweep")
    if has(PEERS, "tensorboard") and runs <= peers:
        yield _reader(_TENSORBOARD, "tensorboard", "events")
    if has(PEERS, "mlxp") and runs <= _SLOW:
        yield _reader(_MLXP, "mlxp", "mlxp/logs")


def _second() -> Iterator[Case]:
    yield Case("stat the files", lambda ground, _: _floor("stat", ground))
    yield Case(_UNCHANGED, lambda ground, _: _sumx(ground))
    yield Case("**sumx**, one run changed", lambda ground, _: _sumx(_with_new_row(ground)))
    yield Case("**runx status**, nothing changed", lambda ground, _: _status(ground))


def _resumed() -> Iterator[Case]:
    yield Case("read the bytes", lambda ground, _: _floor("read", ground))
    words = OURS.entry("runx", "sweep.yml", "-i", "--resume")
    yield Case("**runx --resume**", lambda ground, _: timed(words, ground, OURS))


def _reader(name: str, module: str, folder: str) -> Case:
    words = PEERS.words(str(HERE / "peers" / module / "read.py"), folder)
    return Case(name, lambda ground, _: timed(words, ground, PEERS))


def _floor(work: str, ground: Path) -> Cost:
    return timed(BARE.script("floors", "read", work, ground / "logs" / "sweep"), ground)


def _without_index(ground: Path) -> Path:
    """Remove the index of earlier reads, and return the folder."""
    (ground / "logs" / "sweep" / ".runx" / "index.json").unlink(missing_ok=True)
    return ground


def _with_new_row(ground: Path) -> Path:
    """Append a validation row to the first run, and return the folder."""
    first = min((ground / "logs" / "sweep").glob("[a-z]*"))
    with open(first / "metrics.csv", "a") as rows:
        rows.write(f"val,loss,1,acc,0,epoch,{_EPOCHS},timestamp,1770381000\n")
    return ground


def _sumx(ground: Path) -> Cost:
    return timed(OURS.entry("sumx", *_SUMX), ground, OURS)


def _status(ground: Path) -> Cost:
    words = OURS.entry("runx", "status", "sweep", "--logroot", "logs")
    return timed(words, ground, OURS, statuses=(0, 1))
