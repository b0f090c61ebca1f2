"""RESOURCES that are computed, of the hyperparameters of a run and the number of its attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.errors import ExpressionError, SettingsError, SweepError
from runx.sweeps.arithmetic import OperandError
from runx.sweeps.grid import holds_template
from runx.sweeps.values import Hparam, Value

if TYPE_CHECKING:
    from runx.config.experiment import Experiment
    from runx.launching.plan import PlannedAttempt
    from runx.sweeps.templates import Template

ATTEMPT = "attempt"
"""What RESOURCES may be computed of besides hyperparameters: the number of the attempt."""


class Computed(NamedTuple):
    """The templates of RESOURCES by their texts, and the values that all runs share."""

    templates: Mapping[str, Template] = {}
    shared: Mapping[str, Any] = {}

    @classmethod
    def of(cls, experiment: Experiment, attempts: Sequence[PlannedAttempt]) -> Computed:
        """Return the templates of an experiment; a SweepError where one can't be read."""
        sources = _sources(experiment.candidates or (experiment,))
        templates = _templates(sources, lambda: _known(experiment, attempts))
        return cls(templates, _shared(experiment)) if templates else cls()

    @classmethod
    def of_steps(cls, experiment: Experiment, at: Iterable[Experiment]) -> Computed:
        """Return the templates of RESOURCES of steps, and of experiments where they go."""
        place = experiment.entries["STEPS"].at
        sources = [
            (f"{place(step.name, 'RESOURCES')}: STEPS.{step.name}.RESOURCES", one)
            for own in experiment.steps
            for step in (own, *own.choices.values())
            for one in step.alternatives
        ]
        sources += _sources(at)
        templates = _templates(sources, lambda: _known(experiment))
        return cls(templates, _shared(experiment)) if templates else cls()

    def resources(
        self, experiment: Experiment, resources: tuple[Hparam, ...], planned: PlannedAttempt
    ) -> tuple[Hparam, ...]:
        """Return resources of an experiment as they are for one attempt of a run.

        Raises:
            SettingsError: One can't be computed.
        """
        where = "RESOURCES"
        if any(holds_template(each.value) for each in resources):
            where = f"{experiment.entries['RESOURCES'].origin}: RESOURCES"
        return self.resources_at(where, resources, planned)

    def resources_at(
        self, where: str, resources: tuple[Hparam, ...], planned: PlannedAttempt
    ) -> tuple[Hparam, ...]:
        """Return resources that are said somewhere as they are for one attempt.

        Raises:
            SettingsError: One can't be computed.
        """
        if not any(holds_template(each.value) for each in resources):
            return resources
        texts = {hparam.name: hparam for hparam in planned.run.point.hparams}
        values = {**self.shared, ATTEMPT: planned.attempt, **planned.run.hparams}
        computed = []
        for each in resources:
            try:
                computed.append(self._resource(each, values, texts))
            except (ExpressionError, OperandError, SweepError) as error:
                raise SettingsError(f"{where}.{each.name}: {error}") from None
        return tuple(computed)

    def names_in(self, resource: Hparam) -> frozenset[str]:
        """Return the names that a resource is computed of."""
        used = (self.templates[text].names for text in _texts(resource.value))
        return frozenset[str]().union(*used)

    def _resource(
        self, resource: Hparam, values: Mapping[str, Any], texts: Mapping[str, Hparam]
    ) -> Hparam:
        from runx.sweeps.scalars import value_text
        from runx.sweeps.templates import text_of

        if not holds_template(resource.value):
            return resource
        if not (isinstance(resource.value, tuple) and isinstance(resource.text, tuple)):
            value = _evaluated(resource.value, self.templates, values, texts)
            return Hparam(resource.name, value, text_of(value))
        items = [_evaluated(item, self.templates, values, texts) for item in resource.value]
        pairs = zip(items, resource.text, strict=True)
        words = [value_text(item) if holds_template(text) else text for item, text in pairs]
        return Hparam(resource.name, tuple(items), tuple(words))


def _sources(experiments: Iterable[Experiment]) -> list[tuple[str, tuple[Hparam, ...]]]:
    """Return the alternatives of RESOURCES of experiments, each with where it is said."""
    return [
        (f"{each.settings['RESOURCES'].origin}: RESOURCES", one)
        for each in experiments
        for one in each.alternatives
    ]


def _templates(
    sources: Iterable[tuple[str, tuple[Hparam, ...]]], known: Callable[[], set[str]]
) -> dict[str, Template]:
    """Return the templates of resources by their texts; an error where a name is unknown.

    Each of the ``sources`` is where resources are said, and these. ``known`` returns the names; it
    looks at every run, and so is called only where there is a template.
    """
    places: dict[str, str] = {}
    for where, resources in sources:
        for each in resources:
            for text in _texts(each.value):
                places.setdefault(text, f"{where}.{each.name}")
    if not places:
        return {}
    from runx.sweeps.templates import template

    names = known()
    return {text: template(text, names, where) for text, where in places.items()}


def _texts(value: Value) -> Iterator[str]:
    """Yield the texts in a value that hold templates."""
    items = value if isinstance(value, tuple) else (value,)
    return (item for item in items if isinstance(item, str) and holds_template(item))


def _known(experiment: Experiment, attempts: Sequence[PlannedAttempt] = ()) -> set[str]:
    """Return the names that RESOURCES may be computed from."""
    from runx.sweeps.merge import keys

    names = {ATTEMPT, *_shared(experiment), *keys(experiment.hparams)}
    return names.union(*({hparam.name for hparam in a.run.point.hparams} for a in attempts))


def _shared(experiment: Experiment) -> dict[str, Any]:
    environment = experiment.sweep_context.environment
    return {
        "experiment.name": experiment.name,
        **{f"env.{name}": value for name, value in environment.items()},
    }


def _evaluated(
    value: Value,
    templates: Mapping[str, Template],
    values: Mapping[str, Any],
    texts: Mapping[str, Hparam],
) -> Value:
    """Return one value with its template evaluated."""
    from runx.sweeps.templates import evaluated

    if not (isinstance(value, str) and holds_template(value)):
        return value
    result = evaluated(templates[value], values, texts)
    # A count is a whole number, although a division gives 2.0.
    return int(result) if isinstance(result, float) and result.is_integer() else result
