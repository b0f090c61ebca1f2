"""Names that settings spell out: RUN_NAME and EXP_NAME with ``{lr}``, ``{date}`` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from runx.errors import SettingsError
from runx.language.nearest import remedy
from runx.language.numbertext import spelled
from runx.sweeps.naming import safe
from runx.sweeps.values import Hparam, Point

LONGEST = 200
"""Most bytes of a name that a template gives; file systems take 255, and schedulers add to it."""

OF_A_RUN = ("coolname", "id", "sep", "sweep", "tag", "wid")
"""What differs from run to run, beside the hyperparameters."""

OF_A_LAUNCH = ("date", "experiment", "farm", "git", "launch", "user")
"""What all runs of a launch share; EXP_NAME takes these alone, but for ``experiment``."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Launch(NamedTuple):
    """What names may hold that isn't in a point.

    ``texts`` are those of OF_A_LAUNCH, ``total`` is the most runs there may be, ``varying`` the
    hyperparameters that are not the same in all of them.
    """

    texts: Mapping[str, str]
    total: int
    varying: Collection[str]


def named_by(
    template: str,
    launch: Launch,
    known: Collection[str],
    identify: Callable[[Point], str],
    slug: Callable[[], str],
    where: str = "RUN_NAME",
) -> Callable[[Point], str]:
    """Give a function that names one point after another by a template, no two the same.

    >>> launch = Launch({"user": "me"}, total=20, varying=["lr"])
    >>> new_name = named_by("{wid}{sep}{sweep}", launch, ["lr"], str, str)
    >>> new_name(Point((Hparam("lr", 0.1, "1e-1"), Hparam("opt", "sgd", "sgd"))))
    '01-lr=1e-1'
    """
    names = _PLACEHOLDER.findall(template)
    _check(names, [*OF_A_RUN, *OF_A_LAUNCH, *known], where)
    used: dict[str, int] = {}
    count = 0

    def new_name(point: Point) -> str:
        nonlocal count
        count += 1
        texts = {**_texts(point), **launch.texts, **_of_a_run(point, launch, count)}
        if "id" in names:
            texts["id"] = identify(point)
        if "coolname" in names:
            texts["coolname"] = slug()
        name = safe(_PLACEHOLDER.sub(lambda found: texts.get(found[1], ""), template), LONGEST)
        _check_new(name, used, count, where)
        used[name] = count
        return name

    return new_name


def filled(template: str, texts: Mapping[str, str], where: str) -> str:
    """Fill in a template that no run changes, as EXP_NAME is.

    >>> filled("{user}-{date}", {"user": "me", "date": "2026.02.06"}, "sweep.yml:1: EXP_NAME")
    'me-2026.02.06'
    """
    _check(_PLACEHOLDER.findall(template), texts, where)
    return _PLACEHOLDER.sub(lambda found: texts[found[1]], template)


def sweep_text(point: Point, varying: Collection[str]) -> str:
    """Write what varies, but for values that hold the run's own directory.

    >>> sweep_text(Point((Hparam("lr", 0.1, "0.1"), Hparam("amp", True, None))), ["lr", "amp"])
    'lr=0.1,amp=true'
    """
    told = [hparam for hparam in point.hparams if hparam.name in varying and _is_told(hparam)]
    return ",".join(f"{hparam.name}={_text(hparam)}" for hparam in told)


def _of_a_run(point: Point, launch: Launch, number: int) -> dict[str, str]:
    sweep = sweep_text(point, launch.varying)
    return {
        "sweep": sweep,
        "sep": "-" if sweep else "",
        "tag": point.tag,
        "wid": str(number).zfill(len(str(launch.total))),
    }


def _texts(point: Point) -> dict[str, str]:
    return {hparam.name: _text(hparam) for hparam in point.hparams}


def _is_told(hparam: Hparam) -> bool:
    return hparam.value is not None and "LOGDIR" not in _text(hparam)


def _text(hparam: Hparam) -> str:
    if isinstance(hparam.text, tuple):
        return "-".join(hparam.text)
    return spelled(hparam.value) if hparam.text is None else hparam.text


def _check(names: list[str], known: Collection[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise SettingsError(f"{where}: {{{name}}} is unknown: {remedy(name, known)}")


def _check_new(name: str, used: Mapping[str, int], count: int, where: str) -> None:
    if not name:
        raise SettingsError(f"{where}: run {count} would have no name; put {{wid}} into it")
    if name in used:
        raise SettingsError(
            f"{where}: runs {used[name]} and {count} would both be called {name};"
            " put {wid}, {coolname} or what differs into it"
        )
