"""What each change of an ablation does: its difference to the baseline, paired by seed or the like.

Runs of RUNX.ABLATE name their baseline. A run belongs to a baseline by its hyperparameters, so that
runs of several launches make one table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, finite, identity, resolve, value, varying
from runx.analysis.compare import t_test
from runx.analysis.groups import Spread, groups
from runx.analysis.question import Question
from runx.analysis.table import Row, Table, rank
from runx.errors import RunxError
from runx.nearest import first_of
from runx.printable import one_line
from runx.rundir.run import RunRecord

BASELINE = "baseline"
_NOISE = 1e-12
"""The part of a number that binary arithmetic may add to it."""

Place: TypeAlias = tuple[Any, ...]
"""The values of what stands beside an ablation, such as a seed."""
_Key: TypeAlias = tuple[int, Any, str]
"""Where a change stands in the table, and its text."""
_FIRST: _Key = (-1, (), BASELINE)


class Change(NamedTuple):
    """A change of the baseline, or the baseline itself, and what was measured with it.

    ``differences`` are those of pairs of runs that are equal in all else. ``missing`` are the
    values of what stands beside it, such as a seed, for which it has no result, of ``expected``.
    """

    text: str
    values: tuple[float, ...]
    differences: tuple[float, ...] = ()
    p: float | None = None
    missing: tuple[str, ...] = ()
    expected: int = 0

    @property
    def mean(self) -> float | None:
        """The mean of the metric."""
        return Spread(self.values, self.expected).mean if self.values else None

    @property
    def difference(self) -> float | None:
        """The mean difference to the baseline."""
        return Spread(self.differences, self.expected).mean if self.differences else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the differences, None of fewer than two."""
        if len(self.differences) < 2:
            return None
        return Spread(self.differences, self.expected).std

    @property
    def lacks(self) -> str:
        """What is missing, as text."""
        if not self.missing:
            return ""
        names = first_of([*filter(None, self.missing)], 3, "; ")
        count = f"{len(self.missing)} of {self.expected}"
        return f"{count}: {names}" if names else count


def ablation(runs: Sequence[RunRecord], name: str, by: Sequence[str], question: Question) -> Table:
    """Return the table of what each change does to a metric, within each group of ``by``.

    Raises:
        RunxError: No run has the metric, or none is of an ablation.
    """
    metric, columns = resolve(name, runs), [resolve(each, runs) for each in by]
    rows = []
    for group in groups(runs, columns):
        found = changes(group, metric)
        if question.sortwith:
            found.sort(key=lambda change: rank(change.mean, _is_lower(name, question)))
        first = [value(group[0], column) for column in columns]
        rows += [Row((*first, *_cells(change))) for change in found]
    if not rows:
        raise RunxError(
            f"--ablation {name}: no run is of an ablation; see RUNX.ABLATE in docs/sweeps.md"
        )
    heads = [
        *columns,
        Column("change", "run"),
        *(Column(head, "metric", name) for head in (name, "difference", "deviation", "p")),
        Column("n", "count"),
        Column("missing", "run"),
    ]
    table = Table(tuple(heads), tuple(rows[: question.top]))
    return table._replace(notes=_notes(table))


def _is_lower(name: str, question: Question) -> bool:
    measure = question.measure(name)
    return question.is_lower(measure.metric if measure else name)


def _cells(change: Change) -> tuple[Any, ...]:
    numbers = (change.mean, change.difference, change.deviation, change.p)
    return (change.text, *numbers, len(change.values), change.lacks)


def _notes(table: Table) -> tuple[str, ...]:
    """Return a note where there is no p for want of scipy."""
    untested = any(row.cells[-4] and row.cells[-3] is None for row in table.rows)
    return ("p needs scipy: pip install scipy",) if untested and not _has_scipy() else ()


def _has_scipy() -> bool:
    from importlib.util import find_spec

    return find_spec("scipy") is not None


def changes(runs: Sequence[RunRecord], metric: Column) -> list[Change]:
    """Return the baseline and its changes, by the order of their hyperparameters and values.

    Where runs name several baselines, each is followed by its own changes.
    """
    each = (_baseline_of(run) for run in runs if _is_recorded(run))
    baselines = {identity(baseline): baseline for baseline in each}
    found: list[Change] = []
    for baseline in baselines.values():
        title = f"{_text(baseline)}: " if len(baselines) > 1 else ""
        of_one = _changes_of(baseline, runs, metric)
        found += [change._replace(text=title + change.text) for change in of_one]
    return found


def _changes_of(
    baseline: Mapping[str, Any], runs: Sequence[RunRecord], metric: Column
) -> list[Change]:
    """Return a baseline and its changes.

    Runs that are of no ablation, as of an earlier grid, count where one of an ablation is equal to
    them in what stands beside.
    """
    having = [run for run in runs if baseline.keys() <= run.hparams.keys()]
    members = [run for run in having if len(_changed(run, baseline)) < 2]
    members.sort(key=lambda run: not _is_recorded(run))
    computed = {name for run in members for name in _computed(run)}
    beside = [name for name in varying(members) if name not in computed.union(baseline)]
    shown = [name for name in varying(list(filter(_is_recorded, members))) if name in beside]
    results: dict[_Key, dict[Place, list[float]]] = {_FIRST: {}}
    places: dict[Place, str] = {}
    for run in members:
        place = (run.experiment, *(identity(run.hparams.get(name)) for name in beside))
        if _is_recorded(run):
            places.setdefault(place, _text({name: run.hparams.get(name) for name in shown}))
        elif place not in places:
            continue
        of_change = results.setdefault(_key(run, baseline), {})
        of_change.setdefault(place, []).extend(_numbers(run, metric))
    ordered = sorted(results.items(), key=lambda item: item[0])
    return [_change(key[-1], of_key, results[_FIRST], places) for key, of_key in ordered]


def _key(run: RunRecord, baseline: Mapping[str, Any]) -> _Key:
    """Return the key of what a run changes of a baseline: its place among others, and its name."""
    for name in _changed(run, baseline):
        each = run.hparams.get(name)
        return (list(baseline).index(name), rank(each, lower=True), _text({name: each}))
    return _FIRST


def _change(
    text: str,
    results: Mapping[Place, Sequence[float]],
    baseline: Mapping[Place, Sequence[float]],
    places: Mapping[Place, str],
) -> Change:
    """Return a change, given its results and the baseline's at each place."""
    means = {place: math.fsum(each) / len(each) for place, each in results.items() if each}
    pairs = [
        (mean, math.fsum(baseline[place]) / len(baseline[place]))
        for place, mean in means.items()
        if text != BASELINE and baseline.get(place)
    ]
    return Change(
        text,
        tuple(means.values()),
        tuple(one - other for one, other in pairs),
        _p(pairs),
        tuple(name for place, name in places.items() if place not in means),
        len(places),
    )


def _p(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the p-value of pairs; None for fewer than two or equal differences, or no scipy."""
    differences = [one - other for one, other in pairs]
    size = max((abs(each) for pair in pairs for each in pair), default=0.0)
    if len(pairs) < 2 or max(differences) - min(differences) <= _NOISE * size or not _has_scipy():
        return None
    return t_test([one for one, _ in pairs], [other for _, other in pairs], paired=True).p


def _numbers(run: RunRecord, metric: Column) -> list[float]:
    number = finite(value(run, metric))
    return [] if number is None else [number]


def _is_recorded(run: RunRecord) -> bool:
    return isinstance(run.ablation.get(BASELINE), dict)


def _baseline_of(run: RunRecord) -> dict[str, Any]:
    """Return the baseline that a run names, ``{{ }}`` for what is computed of each run."""
    computed = _computed(run)
    baseline = run.ablation[BASELINE]
    return {name: "{{ }}" if name in computed else baseline[name] for name in baseline}


def _computed(run: RunRecord) -> list[str]:
    computed = run.ablation.get("computed")
    return computed if isinstance(computed, list) else []


def _changed(run: RunRecord, baseline: Mapping[str, Any]) -> list[str]:
    """Return the names of a baseline's hyperparameters that a run has otherwise."""
    own = run.ablation[BASELINE] if _is_recorded(run) else {}
    expected = {**baseline, **{name: own.get(name) for name in _computed(run)}}
    return [
        name for name in baseline if identity(run.hparams.get(name)) != identity(expected[name])
    ]


def _text(values: Mapping[str, Any]) -> str:
    texts = {name: one_line(for_machines(each)) or "null" for name, each in values.items()}
    return ", ".join(f"{name}={text}" for name, text in texts.items())
