"""The next point of a search, for a run that starts: chosen, claimed, and given to all its seeds.

The claim of a point is its file, made by link(2): the first one wins. The lock of the search makes
points better, since one that waits for it knows the points before; nothing rests on it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple

from runx.analysis.failures import Failure, digest
from runx.analysis.gpus import gpu_use
from runx.analysis.read import Reader, read_experiment
from runx.errors import StoreError, SweepError
from runx.locks import acquire, release
from runx.nearest import first_of
from runx.printable import one_line
from runx.rundir.bound_script import bound_text, read_command
from runx.rundir.claims import link_claim
from runx.rundir.files import read_json, to_json, write_whole
from runx.rundir.paths import STEPS, ExperimentDir, RunDir
from runx.rundir.record import trial_in
from runx.rundir.run import RunRecord
from runx.rundir.rungs import plain
from runx.rundir.search_script import HELD, REACHED, SPENT
from runx.rundir.searches import (
    Search,
    SearchDir,
    held_ends,
    point_text,
    read_point,
    read_points,
    read_search,
    search_dir,
)
from runx.search.observations import Seed
from runx.search.space import values_of
from runx.search.suggest import suggest
from runx.trials.history import (
    History,
    RunEnd,
    all_failed,
    history_of,
    is_reached,
    measured_names,
)
from runx.trials.spaces import measures_of, point_of, space_of

_PATIENCE = 20.0  # seconds to wait for the lock
_FIRST = 5  # ends that may all have failed for one cause
_TRY_FIRST = "try_first"


class Place(NamedTuple):
    """A run that wants its point: its experiment, its search, and the number of the point."""

    run: RunDir
    experiment: ExperimentDir
    folder: SearchDir
    search: Search
    number: int


def bind(folder: RunDir) -> int:
    """Give a run of a search its point, if it is to start; return the exit status for run.sh.

    ``folder`` is its directory, or that of one of its steps.

    Raises:
        RunxError: No point can be chosen here.
        OSError: The disk is full, or can't be written.
    """
    place = place_of(folder.owner)
    own = place.folder.point(place.number)
    if read_point(own) is None:
        with _in_turn(place.folder):
            if read_point(own) is None:
                status, records = _choose(place)
                if status:
                    return status
                for each in records:
                    _write_bound(place, each)
    _write_bound(place, place.run)
    return 0


def place_of(run: RunDir) -> Place:
    """Return where a run of a search stands.

    Raises:
        StoreError: It is of none, or what is written of that is damaged.
    """
    trial = trial_in(read_json(run.record))
    if trial is None:
        raise StoreError(f"{run.record}: is of no search")
    experiment = ExperimentDir(run.experiment)
    folder = search_dir(experiment, trial.search)
    return Place(run, experiment, folder, read_search(folder), trial.number)


@contextmanager
def _in_turn(folder: SearchDir) -> Iterator[None]:
    """Hold the lock of a search, or go on without where another has it for long."""
    lock = None
    try:
        lock = acquire(folder.lock, _PATIENCE)
    except OSError as error:
        print(f"runx: {folder.lock}: {error.strerror}: choosing without it", file=sys.stderr)
    try:
        yield
    finally:
        if lock is not None:
            release(lock)


def _choose(place: Place) -> tuple[int, list[RunDir]]:
    """Claim a point for a run; return 0 and the runs of its point, or why it is not to start."""
    search = place.search
    if place.experiment.held.exists():
        return HELD, []
    reader = Reader(measures_of(search), _ignore, ask=False)
    records = [
        each
        for each in read_experiment(place.experiment, reader)
        if each.trial is not None and each.trial.search == search.name
    ]
    held = held_ends(place.folder)
    points = {number: point["values"] for number, point in read_points(place.folder).items()}
    history = history_of(search, points, records, held)
    if is_reached(search, history):
        return REACHED, []
    if search.budget is not None and spent_hours(records, time.time()) >= search.budget:
        return SPENT, []
    failed = all_failed(history, held, _FIRST)
    if failed and (reason := _one_cause(search, failed)):
        _hold(place, failed, held, reason)
        return HELD, []
    _claim(place, history)
    return 0, [each.dir for each in records if each.trial and each.trial.number == place.number]


def _claim(place: Place, history: History) -> None:
    """Choose a point, and link it into its place, where another may have been faster."""
    own, fallback = place.folder.point(place.number), place.folder.fallback(place.number)
    left = read_point(fallback)
    text = None
    if left is None or left["sampler"] != _TRY_FIRST:
        values = _suggested(place, history)
        if left is None or left["values"] != values:
            text = point_text(values, place.search.sampler, len(history.observations))
    if text is not None:
        link_claim(own, text)
        return
    with suppress(FileExistsError):
        os.link(fallback, own)


def _suggested(place: Place, history: History) -> dict[str, Any]:
    """Return what the sampler of a search asks for next, as JSON has it."""
    search = place.search
    _import_own(search.sampler, str(place.run.code))
    space = space_of(search)
    # Those to be tried first are on their way, whoever gets them.
    later = (
        read_point(place.folder.fallback(number))
        for number in range(1, search.trials + 1)
        if number != place.number and not place.folder.point(number).exists()
    )
    firsts = [each["values"] for each in later if each and each["sampler"] == _TRY_FIRST]
    point = suggest(
        space,
        history.observations,
        [*history.running, *firsts],
        Seed(search.seed, place.number),
        search.sampler,
        search.failed,
    )
    return {name: _as_json(value) for name, value in values_of(point).items()}


def _import_own(sampler: str, code: str) -> None:
    """Import the module of a sampler of the project, as it was frozen; what it imports may be, too.

    Only now is that folder the first: a file in it may be named as a module of Python is.
    """
    module, colon, _ = sampler.partition(":")
    if not colon:
        return
    sys.path.insert(0, code)
    try:
        import_module(module)
    except ImportError as error:
        raise SweepError(f"sampler {sampler}: {error}") from error
    sys.path.append(sys.path.pop(0))


def _as_json(value: Any) -> Any:
    return [_as_json(item) for item in value] if isinstance(value, (tuple, list)) else value


def _write_bound(place: Place, run: RunDir) -> None:
    """Write bound.sh of a run, and of its steps, where they have none."""
    content = read_point(place.folder.point(place.number))
    fixed = read_json(run.record)["hparams"]
    point = point_of(place.search, content["values"], fixed) if content else None
    if point is None:
        raise StoreError(f"{place.folder.point(place.number)}: is no point of {run.name}")
    steps = run.path / STEPS
    names = os.listdir(steps) if steps.is_dir() else []  # noqa: PTH208
    for each in (run, *map(run.step, sorted(names))):
        if each.fallback.exists() and not each.bound.exists():
            text = each.fallback.read_text(encoding="utf-8", errors="surrogateescape")
            write_whole(each.bound, bound_text(read_command(text), each, point))


def spent_hours(records: Sequence[RunRecord], now: float) -> float:
    """Return the GPU-hours of runs until now; one without GPUs counts as with one."""
    hours = 0.0
    for record in records:
        use = gpu_use(record, now)
        hours += use.hours if use else (record.elapsed(now) or 0.0) / 3600
    return hours


def _one_cause(search: Search, failed: Sequence[RunEnd]) -> str:
    """Return the one cause of failures, "" where there are several."""
    count = len(failed)
    unmeasured = [each for each in failed if each.run.state in ("done", "pruned")]
    if len(unmeasured) == count:
        names = measured_names(failed)
        has = f"they have {first_of(names, 5)}" if names else "they have no metrics"
        return f"{count} runs are done, and none has {', '.join(search.metrics)}; {has}"
    if unmeasured:
        return ""
    groups = digest([Failure.of(each.run) for each in failed], [])
    return (
        f"all {count} runs that have ended failed: {groups[0].reason}" if len(groups) == 1 else ""
    )


def _hold(place: Place, failed: Sequence[RunEnd], held: frozenset[str], reason: str) -> None:
    """Keep what waits from starting until a person lets it go on."""
    ends = sorted({*held, *(each.key for each in failed)})
    write_whole(place.folder.held, to_json({"ends": ends}))
    content = {
        "time": time.time(),
        "run": place.run.name,
        "reason": "held: " + plain(one_line(reason))[:300],
    }
    link_claim(place.experiment.held, to_json(content))


def _ignore(_: str) -> None:
    """Drop a warning: the commands that read runs give it."""
