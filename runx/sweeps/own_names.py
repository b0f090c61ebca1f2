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
    held = {name: text for name, text in names.items() if f"{{{name}}}" in holder}
    places = {name: f"{at(name)}: NAMES: {name}" for name in held}
    _check(held, known, at)
    variables = {f"env.{name}": text for name, text in environment.items()}
    try:
        forms = {name: template(held[name], {*variables, *known}, places[name]) for name in held}
    except SweepError as error:
        hint = "" if known else "; in EXP_NAME there are no hyperparameters, which are of runs"
        raise SettingsError(f"{error}{hint}") from None

    def texts_of(point: Point) -> dict[str, str]:
        hparams = {each.name: each for each in point.hparams}
        values = {name: each.value for name, each in hparams.items()}
        resources = {RESOURCE + name.upper(): value for name, value in point.resources}
        texts = {}
        for name, form in forms.items():
            try:
                value = evaluated(form, {**variables, **resources, **values}, hparams)
                texts[name] = value_text(value)
            except (ExpressionError, OperandError) as error:
                raise SettingsError(f"{places[name]}: {error}") from None
        return texts

    return texts_of


def _check(held: Mapping[str, str], known: Collection[str], at: Locator) -> None:
    """Raise if a name is another placeholder's, or a text has a placeholder of a name."""
    taken = {*OF_A_RUN, *OF_A_LAUNCH, *known}
    for name, text in held.items():
        if name in taken:
            raise SettingsError(f"{at(name)}: NAMES: {{{name}}} has a meaning already; rename it")
        if wrong := _PLACEHOLDER.search(text):
            problem = f"{wrong[0]}: write {{{{ {wrong[1]} }}}} for a hyperparameter"
            raise SettingsError(f"{at(name)}: NAMES: {name}: {problem}")
