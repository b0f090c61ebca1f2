"""SEARCH checked when it is planned: settings beside it, names, points, and examples of runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runx.config.experiment import Experiment
from runx.errors import SettingsError
from runx.launching.search_files import check_warm_start
from runx.launching.search_points import check_points, first_points
from runx.launching.searches import Part, outline_of, parts_of, searches_of
from runx.rundir.run import Run
from runx.search.space import Values
from runx.sweeps.points import placeholders
from runx.sweeps.searched import chosen
from runx.sweeps.summary import is_base
from runx.sweeps.sweep import Sweep
from runx.trials.spaces import point_of

_EXAMPLES = 8
"""Points of each search with which it is tried whether runs can be given their values."""


def check_search(experiment: Experiment) -> Sweep:
    """Return the outline of the sweep, with examples of what is chosen.

    Raises:
        SettingsError: A setting can't be followed in a search.
    """
    assert experiment.search is not None
    parts = parts_of(experiment)
    for part in parts:
        if not chosen(part.hparams) and not is_base(part.rest):
            where = "HPARAMS has" if len(parts) == 1 else f"the mapping at {part.at()} has"
            advice = "write a range, as lr: {loguniform: [1e-5, 1e-1]}"
            raise _error(experiment, "SEARCH", f"{where} nothing to choose; {advice}")
    if experiment.sweep_context.samples:
        raise _error(experiment, "SAMPLES", "SEARCH.trials says how many points; leave it out")
    unknown = dict.fromkeys(name for part in parts for name in part.unknown)
    for name, problem in _too_early(experiment, unknown):
        raise _error(experiment, name, problem)
    for name, problem in _of_candidates(experiment):
        raise _error(experiment, name, problem)
    _check_names(experiment, parts)
    check_warm_start(experiment)
    for planned in searches_of(experiment).values():
        check_points(experiment, planned)
    return outline_of(experiment, parts)


def _error(experiment: Experiment, name: str, problem: str) -> SettingsError:
    return SettingsError(f"{experiment.settings[name].origin}: {name}: {problem}")


def _too_early(experiment: Experiment, unknown: dict[str, None]) -> Iterator[tuple[str, str]]:
    """Yield settings that name what is chosen when a run starts, and so can't be followed."""
    later = "is chosen when a run starts, {}; leave it out"
    for name in placeholders(experiment.run_name):
        if name in unknown:
            yield "RUN_NAME", f"{{{name}}} {later.format('which has its name before')}"
    for text in experiment.names.values():
        if name := _named(text, unknown):
            yield "NAMES", f"{name} {later.format('which has its name before')}"
    for each in (each for one in experiment.alternatives for each in one):
        for value in each.value if isinstance(each.value, tuple) else (each.value,):
            if name := _named(value, unknown):
                yield "RESOURCES", f"{each.name}: {name} {later.format('after it was submitted')}"
    for step in experiment.steps:
        if not step.per.is_run and step.per.without:
            problem = "runs of a search share nothing but what PER names"
            yield "STEPS", f"{step.name}: PER: without: {problem}, as PER: [seed]"
        for name in step.per.names:
            if name in unknown:
                yield "STEPS", f"{step.name}: PER: {name} {later.format('and others share this')}"


def _named(text: object, unknown: dict[str, None]) -> str:
    """Return the first name of what is chosen later in a computed value, "" for none."""
    if not isinstance(text, str) or "{{" not in text:
        return ""
    inside = re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL)
    words = {word for each in inside for word in re.findall(r"[\w.]+", each)}
    return next((name for name in unknown if name in words), "")


def _of_candidates(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Yield that the farms which one is chosen of differ in what a run executes."""
    if len({each.shell for each in experiment.candidates}) > 1:
        yield (
            "FARM",
            "the farms to choose of differ in SETUP, ENV, WRAP or LAUNCH; say one, for a search",
        )


def _check_names(experiment: Experiment, parts: Sequence[Part]) -> None:
    """Raise for a metric that has the name of a hyperparameter."""
    assert experiment.search is not None
    names = {name for part in parts for name in part.outline.names}
    for metric in experiment.search.metrics:
        if metric in names:
            place = experiment.entries["SEARCH"].at("metric")
            raise SettingsError(
                f"{place}: SEARCH.metric: {metric} is a hyperparameter; name what is measured"
            )


def examples_of(experiment: Experiment, runs: Sequence[Run]) -> list[Run]:
    """Return some of the runs with whole points, as they may be, so that these can be checked."""
    searches, found = searches_of(experiment), list[Run]()
    points: dict[str, list[Values]] = {}
    for name, planned in searches.items():
        trials = min(planned.search.trials, _EXAMPLES)
        few = planned._replace(search=planned.search._replace(trials=trials))
        points[name] = [each.values for each in first_points(experiment, few)]
    for run in runs:
        trial = run.point.trial
        values = points.get(trial.search, []) if trial else []
        if trial is not None and trial.number <= len(values):
            search = searches[trial.search].search
            point = point_of(search, values[trial.number - 1], run.hparams)
            found += [run._replace(point=point)] if point else []
    return found
