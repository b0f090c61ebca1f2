"""The summary of a sweep that ``-n --table`` shows: axes, counts, what varies, resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config.experiment import Experiment
from runx.export.table import aligned
from runx.launching.plan import NEW, named_values, resources_of, trials_of
from runx.launching.preview import took_before
from runx.launching.preview_steps import StepCount, step_counts, table_of
from runx.launching.routes import Route
from runx.rundir.run import Run
from runx.sweeps import summary
from runx.sweeps.axes import RESOURCE
from runx.sweeps.scalars import seconds, value_text
from runx.sweeps.summary import ShownAxis
from runx.sweeps.sweep import Sweep
from runx.sweeps.values import Hparam

if TYPE_CHECKING:
    from runx.launching.search_preview import SearchPreview

MOST_ROWS = 20
"""Runs in the table; ``-n`` has all of them."""
_MOST_VALUES = 12


class Need(NamedTuple):
    """Runs with the same resources: how many, and the GPU-hours of each, None where unknown."""

    runs: int
    resources: tuple[Hparam, ...]
    gpu_hours: float | None


class PreviewTable(NamedTuple):
    """The summary of a launch. ``rows`` are its first runs, with the values of ``varying``.

    ``axes`` has a list for each grid, ``skipped`` the combinations by their reason, ``equal`` the
    runs that are the same as another. ``took`` says how long earlier runs took.
    """

    axes: list[list[ShownAxis]]
    combinations: int
    skipped: dict[str, int]
    runs: int
    equal: int
    varying: list[str]
    rows: list[list[str]]
    needs: list[Need]
    took: tuple[str, ...] = ()
    steps: tuple[StepCount, ...] = ()
    search: SearchPreview | None = None

    @property
    def gpu_hours(self) -> float | None:
        """The sum over all runs, None where that of some run is unknown."""
        return _sum(self.needs)

    def json(self) -> dict[str, Any]:
        """Return its content for JSON."""
        return {
            "axes": [
                [{"names": axis.names, "values": axis.texts} for axis in grid] for grid in self.axes
            ],
            "combinations": self.combinations,
            "skipped": self.skipped,
            "runs": self.runs,
            "equal": self.equal,
            "varying": self.varying,
            "resources": [
                {
                    "runs": need.runs,
                    **{resource.name: resource.value for resource in need.resources},
                }
                for need in self.needs
            ],
            "gpu_hours": self.gpu_hours,
            **({"steps": [step.json() for step in self.steps]} if self.steps else {}),
            **({"search": self.search.json()} if self.search else {}),
        }


def preview_table(experiment: Experiment, sweep: Sweep, routes: Iterable[Route]) -> PreviewTable:
    """Return the summary of the runs that a launch would start."""
    varying = summary.varying(sweep)
    with_name = bool(experiment.run_name)
    runs: list[Run] = []
    needs: list[Need] = []
    routes = list(routes)
    starting = [run for route in routes for run in route.runs] if experiment.steps else []
    if starting:
        # Of runs with steps, one line each; what the steps need is told with them.
        by_run = {run.name.partition("/")[0]: run for run in starting if _is_own(run)}
        runs += by_run.values()
    for route in () if experiment.steps else routes:
        own = list(route.runs)
        runs += own
        needs += _needs(route.experiment, own)
    return PreviewTable(
        axes=_axes(experiment, sweep),
        combinations=sweep.size * trials_of(experiment),
        skipped=summary.skipped(sweep),
        runs=len(runs),
        equal=0 if experiment.search else summary.repeats(run.point for run in runs),
        varying=["run"] * with_name + varying,
        rows=[_row(run, varying, with_name) for run in runs[:MOST_ROWS]],
        needs=needs,
        took=tuple(took_before(routes)),
        steps=tuple(step_counts(experiment, starting)) if experiment.steps else (),
        search=_searched(experiment),
    )


def _axes(experiment: Experiment, sweep: Sweep) -> list[list[ShownAxis]]:
    """Return the axes of each grid, those that a search chooses of as they are written."""
    found = summary.axes(sweep)
    if experiment.search is not None:
        from runx.launching.searches import parts_of
        from runx.sweeps.searched import chosen, range_text

        parts = (part for part in parts_of(experiment) if not summary.is_base(part.rest))
        for axes, part in zip(found, parts, strict=True):
            ranges = chosen(part.hparams).items()
            axes += [ShownAxis((name,), (range_text(node),)) for name, node in ranges]
    return found


def _searched(experiment: Experiment) -> SearchPreview | None:
    if experiment.search is None:
        return None
    from runx.launching.search_preview import search_preview

    return search_preview(experiment)


def _is_own(run: Run) -> bool:
    return run.step is not None and run.step.per.is_run


def _row(run: Run, varying: Sequence[str], with_name: bool) -> list[str]:
    hparams = {hparam.name: summary.shown(hparam) for hparam in run.point.hparams}
    values = named_values(run, NEW)
    resources = {
        name: value_text(values[name])
        for name in varying
        if name in values and name.startswith(RESOURCE)
    }
    texts = {**resources, **hparams}
    return [run.name] * with_name + [texts.get(name, "") for name in varying]


def gpu_hours(routes: Iterable[Route]) -> float | None:
    """Return the most GPU-hours of the runs of a launch, None where that of some is unknown."""
    return _sum([need for each in routes for need in _needs(each.experiment, each.runs)])


def _sum(needs: Sequence[Need]) -> float | None:
    hours = [need.gpu_hours * need.runs for need in needs if need.gpu_hours is not None]
    return sum(hours) if hours and len(hours) == len(needs) else None


def _needs(experiment: Experiment, runs: Iterable[Run]) -> list[Need]:
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.point.resources, []).append(run)
    return [_need(experiment, group[0], len(group)) for group in groups.values()]


def _need(experiment: Experiment, run: Run, count: int) -> Need:
    resources = resources_of(experiment, run)
    by_name = {resource.name.lower(): resource for resource in resources}
    time = by_name.get("time")
    length = seconds(time.text) if time and isinstance(time.text, str) else None
    gpus = _count(by_name.get("gpus") or by_name.get("gpu"))
    if not gpus or length is None:
        return Need(count, resources, None)
    return Need(count, resources, gpus * (_count(by_name.get("nodes")) or 1) * length / 3600)


def _count(resource: Hparam | None) -> int | None:
    """Return the number in a resource, 2 in ``a100:2``."""
    text = resource.text if resource else None
    last = text.rpartition(":")[2].strip() if isinstance(text, str) else ""
    return int(last) if last.isascii() and last.isdigit() else None


def lines(table: PreviewTable) -> Iterator[str]:
    """Return the lines of a summary on the terminal."""
    for number, axes in enumerate(table.axes):
        if len(table.axes) > 1:
            yield f"grid {number + 1}"
        if axes:
            body = [[", ".join(axis.names), str(len(axis.texts)), _values(axis)] for axis in axes]
            yield aligned(["axis", "size", "values"], body, [False, True, False])
            yield ""
    if table.search:
        yield from table.search.lines()
    yield _counts(table)
    if table.equal:
        yield f"{table.equal} of them the same as another; each is a run of its own"
    if table.steps:
        yield ""
        yield table_of(table.steps)
    yield from _needed(table)
    if any(table.rows) and table.varying:
        yield ""
        yield aligned(table.varying, table.rows, [False] * len(table.varying))
    if table.runs > len(table.rows):
        yield f"and {table.runs - len(table.rows):,} more; -n alone shows them all"


def _values(axis: ShownAxis) -> str:
    if len(axis.texts) <= _MOST_VALUES:
        return ", ".join(axis.texts)
    return ", ".join([*axis.texts[: _MOST_VALUES - 2], "...", axis.texts[-1]])


def _counts(table: PreviewTable) -> str:
    counts = f"{table.combinations:,} combination{'s' * (table.combinations != 1)}"
    for reason, count in table.skipped.items():
        counts += f", {count:,} skipped by RUNX.SKIP: {reason}"
    return f"{counts}; {table.runs:,} run{'s' * (table.runs != 1)}"


def _needed(table: PreviewTable) -> Iterator[str]:
    for need in table.needs:
        resources = ", ".join(f"{each.name}: {summary.shown(each)}" for each in need.resources)
        if resources:
            subject = f"{need.runs:,} run{'s need' if need.runs > 1 else ' needs'}"
            yield f"{'each run needs' if len(table.needs) == 1 else subject} {resources}"
    yield from table.took
    if table.gpu_hours is not None:
        yield f"at most {table.gpu_hours:,.4g} GPU-hours in all"
