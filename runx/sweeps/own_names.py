"""An experiment's own placeholders of names, as NAMES has them: texts with ``{{ }}`` in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from runx.errors import ExpressionError, SettingsError, SweepError
from runx.sweeps.arithmetic import OperandError
from runx.sweeps.axes import RESOURCE, Locator
from runx.sweeps.naming import OF_A_LAUNCH, OF_A_RUN
from runx.sweeps.scalars import value_text
from runx.sweeps.templates import evaluated, template
from runx.sweeps.values import Point

_PLACEHOLDER = re.compile(r"(?<!\{)\{\s*([\w.-]+)\s*\}(?!\})")


def own_texts(
    names: Mapping[str, str],
    holder: str,
    known: Collection[str],
    at: Locator,
    environment: Mapping[str, str],
) -> Callable[[Point], dict[str, str]]:
    """Return the function from a point to the texts of those of NAMES that a template holds.

    They are computed as values of hyperparameters are; ``known`` are the names of these, none for
    EXP_NAME. ``at`` returns where each of NAMES stands.

    Raises:
        SettingsError: One has the name of another placeholder, or can't be computed.

    >>> names = {"size": "{{ 'big' if width > 512 else 'small' }}"}
    >>> texts_of = own_texts(names, "{size}-{wid}", ["width"], "x.yml: {}".format, {})
    >>> from runx.sweeps.values import Hparam
    >>> texts_of(Point((Hparam("width", 1024, "1024"),)))
    {'size': 'big'}
    """
    held = [name for name in names if f"{{{name}}}" in holder]
    if clash := next((name for name in held if name in (*OF_A_RUN, *OF_A_LAUNCH, *known)), None):
        raise SettingsError(f"{at(clash)}: NAMES: {{{clash}}} has a meaning already; rename it")
    for name in held:
        if wrong := _PLACEHOLDER.search(names[name]):
            problem = f"{wrong[0]}: write {{{{ {wrong[1]} }}}} for a hyperparameter"
            raise SettingsError(f"{at(name)}: NAMES: {name}: {problem}")
    variables = {f"env.{name}": text for name, text in environment.items()}
    places = {name: f"{at(name)}: NAMES: {name}" for name in held}
    try:
        forms = {name: template(names[name], {*variables, *known}, places[name]) for name in held}
    except SweepError as error:
        hint = "" if known else "; in EXP_NAME there are no hyperparameters, which are of runs"
        raise SettingsError(f"{error}{hint}") from None

    def texts_of(point: Point) -> dict[str, str]:
        values = {each.name: each.value for each in point.hparams}
        resources = {RESOURCE + name.upper(): value for name, value in point.resources}
        hparams, texts = {each.name: each for each in point.hparams}, {}
        for name, form in forms.items():
            try:
                texts[name] = value_text(
                    evaluated(form, {**variables, **resources, **values}, hparams)
                )
            except (ExpressionError, OperandError) as error:
                raise SettingsError(f"{places[name]}: {error}") from None
        return texts

    return texts_of
