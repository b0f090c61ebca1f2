"""SEARCH and HPARAMS to the searches of a launch, and to the points of its runs. Pure.

What is chosen, and what is computed of that, is left to the run; the rest is a sweep as ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from runx.config.experiment import Experiment
from runx.config.search import SearchSettings
from runx.errors import SweepError
from runx.rundir.run import Run
from runx.rundir.searches import Search
from runx.search.space import Space, space_of
from runx.sweeps.axes import ABLATE, CASES, INDEX, RESERVED, RESOURCE, SKIP, TAG, ZIP, Locator
from runx.sweeps.expressions import parse
from runx.sweeps.grid import Grid
from runx.sweeps.identity import canonical
from runx.sweeps.merge import keys, several_cases
from runx.sweeps.operators import DRAWS
from runx.sweeps.points import placeholders
from runx.sweeps.searched import chosen, is_repeated, is_searched
from runx.sweeps.sweep import Sweep, mappings, sweep_of
from runx.sweeps.values import Hparam, Node, Point, Scalar, Trial

_EXAMPLES = (0.0, 0.414, 1 - 2**-53)
"""Where in a range its examples lie, from 0 to below 1: both ends, and what is no round number."""


class Part(NamedTuple):
    """A mapping of HPARAMS that a search chooses of.

    ``outline`` is its grid with examples of what is chosen, for names and checks; ``rest`` the grid
    of what isn't. ``later`` are computed of what is chosen, ``seeds`` are repeated for each point.
    ``needs`` are the names that each computed value needs.
    """

    hparams: Mapping[str, Node]
    at: Locator
    space: Space
    outline: Grid
    rest: Grid
    later: tuple[str, ...]
    seeds: tuple[str, ...]
    needs: Mapping[str, set[str]]

    @property
    def unknown(self) -> dict[str, None]:
        """The names whose values are known when a run starts."""
        return dict.fromkeys((*keys(chosen(self.hparams)), *self.later))


class PlannedSearch(NamedTuple):
    """A search of a launch: what it is, and the points of its seeds, with fixed values alone."""

    search: Search
    part: Part
    seeds: tuple[Point, ...]


def parts_of(experiment: Experiment) -> list[Part]:
    """Return the mappings of HPARAMS as a search sees them.

    Raises:
        SweepError: One is malformed, or what is chosen stands where it can't.
    """
    return [_part(experiment, *each) for each in mappings(experiment.hparams, experiment.at)]


def fixed_sweep(experiment: Experiment, parts: list[Part]) -> Sweep:
    """Return the sweep of what isn't chosen."""
    return Sweep(tuple(part.rest for part in parts), experiment.sweep_context)


def outline_of(experiment: Experiment, parts: list[Part]) -> Sweep:
    """Return the sweep with examples of what is chosen, whose names and values can be checked."""
    return Sweep(tuple(part.outline for part in parts), experiment.sweep_context)


def searches_of(experiment: Experiment) -> dict[str, PlannedSearch]:
    """Return the searches of an experiment by their names, one for each crossing of its lists."""
    settings = experiment.search
    assert settings is not None
    found: dict[str, PlannedSearch] = {}
    for part in parts_of(experiment):
        crossing = _crossing(part)
        for point in Sweep((part.rest,), experiment.sweep_context).points(experiment.tag):
            fixed = {each.name: each.value for each in point.hparams if each.name not in part.seeds}
            name = _name(experiment, part, fixed)
            if name not in found:
                varying = {key: value for key, value in fixed.items() if key in crossing}
                search = _search(experiment, settings, part, name)._replace(fixed=varying)
                found[name] = PlannedSearch(search, part, ())
            found[name] = found[name]._replace(seeds=(*found[name].seeds, point))
    return found


def trial_points(experiment: Experiment) -> Iterator[Point]:
    """Yield the points of all runs: the seeds of each search's first point, then of its second."""
    assert experiment.search is not None
    searches = searches_of(experiment)
    for number in range(1, experiment.search.trials + 1):
        for name, each in searches.items():
            yield from (point._replace(trial=Trial(name, number)) for point in each.seeds)


def shower(experiment: Experiment) -> Callable[[Run], Run]:
    """Return a function from a run to how it is shown: ``{lr}`` stands for what is chosen later."""
    if experiment.search is None:
        return lambda run: run
    unknown = {name: _shown(each.part) for name, each in searches_of(experiment).items()}

    def shown(run: Run) -> Run:
        trial = run.point.trial
        if trial is None or trial.search not in unknown:
            return run
        hparams = (*run.point.hparams, *unknown[trial.search])
        return run._replace(point=run.point._replace(hparams=hparams))

    return shown


def _shown(part: Part) -> list[Hparam]:
    """Return placeholders for what each point has of what is chosen later."""
    everywhere = []
    for name in part.unknown:
        axis = next(axis for axis in part.outline.axes if name in axis.names)
        if all(any(each.name == name for each in choice) for choice in axis.choices):
            everywhere.append(name)
    return [Hparam(name, text, text) for name in everywhere for text in [f"{{{name}}}"]]


def _part(experiment: Experiment, hparams: Mapping[str, Node], at: Locator) -> Part:
    names = chosen(hparams)
    for name in keys(names):
        if name in RESERVED or name.startswith(RESOURCE):
            raise SweepError(
                f"{at(name)}: {name}: is needed when runs are submitted, before a search chooses;"
                " list its values"
            )
    space = space_of(names, at)
    outline = {name: _example(name, node) for name, node in hparams.items()}
    context = experiment.sweep_context
    (grid,) = sweep_of([(outline, at)], context).grids
    needs: Mapping[str, set[str]] = {}
    if grid.templated:
        from runx.sweeps.templates import templates_of

        needs = templates_of(grid, context).needs
    later = tuple(name for name in _following(needs, set(keys(names))) if name not in keys(names))
    seeds = tuple(name for name, node in hparams.items() if is_repeated(node))
    _check(grid, needs, {*keys(names), *later}, later, hparams, at)
    skips = _skips(grid, {*keys(names), *later}, _following(needs, set(seeds)), at)
    rest = {name: node for name, node in hparams.items() if name not in {*names, *later}}
    if skips:
        left = [text for text in grid.skips if text not in skips]
        rest = {name: node for name, node in rest.items() if name != SKIP}
        rest |= {SKIP: [Scalar(text, text, plain=False) for text in left]} if left else {}
    (fixed,) = sweep_of([(rest, at)], context).grids
    return Part(hparams, at, space, grid, fixed, later, seeds, needs)


def _example(name: str, node: Node) -> Node:
    """Return a key of HPARAMS with examples in the place of what is chosen."""
    if name == CASES:
        return [_example_cases(cases) for cases in several_cases(node)]
    if not is_searched(name, node):
        return node
    assert isinstance(node, dict)
    ((operator, argument),) = node.items()
    if operator == "choice":
        return argument
    quantile = DRAWS[operator](argument)
    return [quantile(part) for part in _EXAMPLES]


def _example_cases(cases: Node) -> Node:
    assert isinstance(cases, list)
    return [
        {name: _example(name, node) for name, node in case.items()}
        for case in cases
        if isinstance(case, dict)
    ]


def _following(needs: Mapping[str, set[str]], names: set[str]) -> set[str]:
    """Return names, and those whose values are computed of them."""
    found = set(names)
    for _ in needs:
        found |= {name for name, needed in needs.items() if needed & found}
    return found


def _check(
    grid: Grid,
    needs: Mapping[str, set[str]],
    unknown: set[str],
    later: tuple[str, ...],
    hparams: Mapping[str, Node],
    at: Locator,
) -> None:
    """Raise for what is chosen where it must be known before, and for what can't be computed."""
    for name, needed in needs.items():
        if INDEX in needed:
            raise SweepError(f"{at(name)}: {name}: {INDEX} says nothing in a search; leave it out")
    for name in later:
        if name == TAG or name.startswith(RESOURCE):
            raise _too_early(name, sorted(needs[name] & unknown), at)
        node = hparams.get(name)
        if node is None or (isinstance(node, list) and len(node) > 1):
            key = name if node is not None else ZIP if ZIP in hparams else ABLATE
            raise SweepError(
                f"{at(key)}: {name}: is computed of {sorted(needs[name] & unknown)[0]}, which a"
                " search chooses; give it one value, or choices: {choice: [...]}"
            )
    for axis in grid.axes:
        tags = [each for choice in axis.choices for each in choice if each.name == TAG]
        for tag in tags:
            if named := [name for name in placeholders(str(tag.text)) if name in unknown]:
                raise _too_early(TAG, named, at)


def _too_early(name: str, unknown: list[str], at: Locator) -> SweepError:
    return SweepError(
        f"{at(name)}: {name}: {unknown[0]} is chosen when a run starts; leave it out of what is"
        " needed before"
    )


def _skips(grid: Grid, unknown: set[str], of_seeds: set[str], at: Locator) -> list[str]:
    """Return the expressions of RUNX.SKIP that can be told when all of a point is known."""
    named = {text: parse(text, grid.names).names for text in grid.skips}
    found = [text for text, names in named.items() if names & unknown]
    for text in found:
        if seeds := sorted(named[text] & of_seeds):
            raise SweepError(
                f"{at(SKIP)}: {SKIP}: {text}: a point is run with each {seeds[0]}, and can't be"
                " skipped for some; leave that out"
            )
    return found


def _crossing(part: Part) -> set[str]:
    """Return the names of which searches have one value each."""
    axes = [axis for axis in part.rest.axes if len(axis.choices) > 1]
    return {name for axis in axes for name in axis.names} - {*part.seeds}


def _name(experiment: Experiment, part: Part, fixed: Mapping[str, object]) -> str:
    """Return the name of a search: a digest of CMD, what is chosen and the fixed values."""
    names = {*chosen(part.hparams), *part.later}
    shape = {name: _shape(node) for name, node in part.hparams.items() if name in names}
    text = json.dumps(shape, sort_keys=True)
    return f"search-{experiment.identity.of(experiment.cmd, {**fixed, 'RUNX.SPACE': text})[:8]}"


def _shape(node: Node) -> object:
    if isinstance(node, Scalar):
        return canonical(node.value)
    if isinstance(node, list):
        return [_shape(item) for item in node]
    return {name: _shape(item) for name, item in node.items()}


def _search(experiment: Experiment, settings: SearchSettings, part: Part, name: str) -> Search:
    context = experiment.sweep_context
    needed = {each for names in part.needs.values() for each in names}
    return Search(
        name=name,
        metrics=settings.metrics,
        goals=settings.goals,
        trials=settings.trials,
        searched=tuple(keys(chosen(part.hparams))),
        hparams=dict(part.hparams),
        sampler=settings.sampler,
        seed=str(context.seed),
        failed="ignore" if settings.failed == "ignore" else "worst",
        prune=settings.prune,
        target=settings.target,
        budget=settings.budget,
        experiment=experiment.name,
        environment={
            key: value for key, value in context.environment.items() if f"env.{key}" in needed
        },
        defaults=context.defaults,
    )
