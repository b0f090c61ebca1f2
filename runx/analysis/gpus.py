"""What runs take of GPUs: hours, and how much of them the GPUs had nothing to do."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from runx.errors import SettingsError
from runx.nearest import first_of
from runx.rundir.output import tail
from runx.rundir.records import Record, read, rows
from runx.rundir.run import RunRecord
from runx.sweeps.values import Hparam

IDLE = 5.0
"""A GPU with a load of less, in percent, is idle."""
_LATELY = 300.0  # seconds for which a GPU has been idle before that is said
_LEAST = 3  # measurements of that time, one of which is due every 30 s
_FEWEST_HOURS = 0.01
"""GPU-hours that are worth a line."""
_TAIL = 1 << 14  # bytes at the end of system.csv that hold those
_GPU = re.compile(r"gpu\d+", re.ASCII)
_COUNTS = ("gpu", "gpus", "nodes")


class GpuUse(NamedTuple):
    """The GPU-hours of a run over all of its attempts, and the share of its GPUs' time idle.

    ``idle`` is from 0 to 1, None where nothing was measured: logx does so every 30 s.
    """

    hours: float
    idle: float | None = None

    def __str__(self) -> str:
        idle = "" if self.idle is None else f", idle {self.idle:.0%} of the time"
        return f"{self.hours:.3g} GPU-hours{idle}"


def gpu_use(run: RunRecord, now: float) -> GpuUse | None:
    """Return what a run took of GPUs until now; None where it has none, or nobody says so.

    Their number is that of RESOURCES, else of those that the script could see.
    """
    loads = [_loads(record) for record in _measured(run)]
    count = asked_gpus(run.resources)
    if count is None:
        count = max(map(len, loads), default=0)
    if not count:
        return None
    all_loads = [load for each in loads for load in each.values()]
    idle = sum(load < IDLE for load in all_loads) / len(all_loads) if all_loads else None
    return GpuUse(count * _seconds(run, now) / 3600, idle)


def asked_gpus(resources: Any) -> int | None:
    """Return the GPUs on all nodes that RESOURCES ask for; None where they say nothing of them.

    >>> asked_gpus({"gpus": "a100:4", "nodes": 2}), asked_gpus({"mem": "4G"})
    (8, None)
    """
    from runx.farms.resources import needs  # not at start

    named = {name: value for name, value in resources.items() if name.lower() in _COUNTS}
    try:
        need = needs(Hparam(name, value, str(value)) for name, value in named.items())
    except SettingsError:  # A farm of one's own may have another meaning for it.
        return None
    return None if need.gpus is None else need.gpus * (need.nodes or 1)


def _measured(run: RunRecord) -> Iterator[Record]:
    if run.dir.system.is_file():
        yield from read(run.dir.system, _ignore)


def _ignore(*_: object) -> None:
    """Drop a torn row: the next measurement says as much."""


def _loads(record: Record) -> dict[str, float]:
    """Return the load of each GPU in a row of system.csv, in percent."""
    return {
        name: float(load)
        for name, load in record.metrics.items()
        if _GPU.fullmatch(name) and isinstance(load, (int, float)) and math.isfinite(load)
    }


def _seconds(run: RunRecord, now: float) -> float:
    """Return how long all attempts of a run took; of one that was lost, to its last sign."""
    total = 0.0
    for attempt in run.attempts:
        started, ended = attempt.event("started"), attempt.event("ended")
        if started is None or started.time is None:
            continue
        end = ended.time if ended else None
        if end is None and attempt.number == run.status.attempt and run.status.alive:
            end = now
        elif end is None and attempt.silence is not None:
            end = now - attempt.silence
        total += max((end or started.time) - started.time, 0.0)
    return total


def idle_gpus(run: RunRecord, now: float) -> tuple[int, int]:
    """Return how many GPUs of a running run have been idle lately, and of how many."""
    text = tail(run.dir.system, _TAIL)
    text = text if len(text) < _TAIL else text.partition("\n")[2]
    latest = [
        _loads(record)
        for record in rows(text, _ignore)
        if record.timestamp is not None and now - record.timestamp <= _LATELY
    ]
    if len(latest) < _LEAST:
        return 0, 0
    names = dict.fromkeys(name for loads in latest for name in loads)
    idle = [name for name in names if all(loads.get(name, 0.0) < IDLE for loads in latest)]
    return len(idle), len(names)


def gpu_lines(runs: Iterable[RunRecord], now: float) -> Iterator[str]:
    """Yield a line on the GPU-hours of runs, by RESOURCES alone, and one on what is idle now."""
    records: Sequence[RunRecord] = list(runs)
    hours = [
        count * _seconds(run, now) / 3600 for run in records if (count := asked_gpus(run.resources))
    ]
    if (total_hours := sum(hours)) >= _FEWEST_HOURS:
        yield f"{total_hours:.3g} GPU-hours"
    counts = [(run, idle_gpus(run, now)) for run in records if run.state == "running"]
    names = [f"{run.name} ({idle} of {total})" for run, (idle, total) in counts if idle]
    if names:
        number = sum(idle for _, (idle, _) in counts)
        gpus = "1 GPU has" if number == 1 else f"{number} GPUs have"
        yield f"{gpus} been idle for 5 min: {first_of(names, 3)}"
