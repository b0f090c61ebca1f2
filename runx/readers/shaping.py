"""From what a file has (names with numbers, counters, times) to rows by phase and epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from runx.readers.base import Row
from runx.rundir.phases import phase_word, phases_of

_EPOCH = frozenset({"epoch", "epochs", "ep", "current_epoch"})
_STEP = frozenset(
    {
        *("step", "steps", "global_step", "total_steps", "iter", "iters", "iteration"),
        *("iterations", "it", "update", "updates", "num_updates", "n_iter", "batch", "batch_idx"),
        *("timesteps", "total_timesteps", "num_timesteps", "num_env_steps", "tokens_seen"),
    }
)
_TIME = frozenset({"time", "timestamp", "wall_time", "walltime", "created", "created_at"})
_PHASE = frozenset({"phase", "split", "mode", "stage", "subset", "partition"})
_SINCE_1970 = 1e8
"""A smaller time is a duration, which is a metric."""


@lru_cache(maxsize=1 << 12)
def counter(name: str) -> str:
    """Return what a column counts (epoch or step), or that it is a time or a phase; else "".

    >>> [counter(name) for name in ("Epoch", "trainer/global_step", "# iter", "loss")]
    ['epoch', 'step', 'step', '']
    """
    word = name.rpartition("/")[2].strip("# ").lower().replace(" ", "_").replace("-", "_")
    kinds = {"epoch": _EPOCH, "step": _STEP, "time": _TIME, "phase": _PHASE}
    return next((kind for kind, words in kinds.items() if word in words), "")


class Measurement(NamedTuple):
    """What a script measured at one moment, by the names that it used."""

    values: Mapping[str, float | str]
    epoch: float | None = None
    step: float | None = None
    time: float | None = None
    phase: str = ""


def measurement(cells: Mapping[str, Any]) -> Measurement:
    """Return what a row of named cells measured; text counts only where it names a phase.

    >>> measurement({"epoch": 1, "split": "valid", "acc": 0.5, "note": "x"})
    Measurement(values={'acc': 0.5}, epoch=1, step=None, time=None, phase='val')
    """
    values: dict[str, float | str] = {}
    found: dict[str, float] = {}
    phase = ""
    for name, cell in cells.items():
        kind = counter(name)
        if isinstance(cell, str):
            phase = phase or (phase_word(cell.strip()) if kind == "phase" else "")
        elif isinstance(cell, bool) or not isinstance(cell, (int, float)):
            continue
        elif kind in ("epoch", "step") and math.isfinite(cell):
            found.setdefault(kind, cell)
        elif kind == "time" and _SINCE_1970 < cell < math.inf:
            found.setdefault(kind, cell / 1000 if cell > _SINCE_1970 * 1000 else cell)
        else:
            values[name] = cell
    return Measurement(values, found.get("epoch"), found.get("step"), found.get("time"), phase)


def flat(content: Mapping[str, Any], prefix: str = "", depth: int = 5) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings, by names with slashes.

    >>> dict(flat({"val": {"acc": 1}, "lr": 2}))
    {'val/acc': 1, 'lr': 2}
    """
    for name, value in content.items():
        if isinstance(value, Mapping) and depth:
            yield from flat(value, f"{prefix}{name}/", depth - 1)
        else:
            yield f"{prefix}{name}", value


def rows_of(measurements: Sequence[Measurement]) -> list[Row]:
    """Return measurements as rows, a row for each phase, by epoch.

    They are by step where epochs don't tell them apart, numbered from 1 where there is neither. A
    phase that is told by nothing is "".
    """
    named = phases_of(dict.fromkeys(name for each in measurements for name in each.values))
    by_epoch = _is_told_by_epoch(measurements, {name: each.phase for name, each in named.items()})
    rows: list[Row] = []
    last: float | None = None
    for number, each in enumerate(measurements, 1):
        last = each.epoch if each.epoch is not None else last
        at = (last if by_epoch else None) if each.step is None or by_epoch else each.step
        if at is None:
            at = each.step if each.step is not None else each.epoch
        at = number if at is None and len(measurements) > 1 else at
        by_phase: dict[str, dict[str, float | str]] = {}
        for name, value in each.values.items():
            if name in named:
                phase, metric = named[name]
                of_phase = by_phase.setdefault(each.phase or phase, {})
                of_phase[metric if not each.phase or each.phase == phase else name] = value
        rows += (Row(phase, _whole(at), values, each.time) for phase, values in by_phase.items())
    return rows


def rows_by_step(
    steps: Mapping[float, Mapping[str, Any]], times: Mapping[float, float | None] = {}
) -> list[Row]:
    """Return what was measured at each step as rows, in order; a step may have its time apart."""
    found = [(at, measurement(steps[at])) for at in sorted(steps)]
    return rows_of([each._replace(step=at, time=times.get(at, each.time)) for at, each in found])


def _whole(at: float | None) -> int | float | None:
    return int(at) if at is not None and float(at).is_integer() else at


def _is_told_by_epoch(measurements: Iterable[Measurement], phases: Mapping[str, str]) -> bool:
    """Return whether no two steps of one epoch were validated; where nothing was, trained."""
    steps: dict[tuple[bool, str, float], float | None] = {}
    has_epoch = False
    twice = set()
    for each in measurements:
        if each.epoch is None:
            continue
        has_epoch = True
        for name in each.values:
            is_train = (each.phase or phases.get(name, "")) == "train"
            key = (is_train, name, each.epoch)
            if steps.setdefault(key, each.step) != each.step:
                twice.add(is_train)
    is_validated = any(not is_train for is_train, _, _ in steps)
    return has_epoch and (not is_validated) not in twice
