"""Names of runs: safe for a directory, and never the same twice.

A run is named by its tag, words of coolname and the date, by its tag alone, or by a template.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from itertools import count
from math import gcd
from typing import NamedTuple

from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.sweeps.scalars import value_text
from runx.sweeps.values import Hparam, Point

STEPS = "steps"
"""The folder of an experiment with the steps that its runs share, and of a run with its own."""

LONGEST = 100
"""Most bytes of a tag: with a coolname and a date it stays far under a file system's 255."""

LONGEST_NAME = 200
"""Most bytes of a name by a template: file systems take 255, and schedulers add to a name."""

OF_A_RUN = ("coolname", "id", "sep", "sweep", "tag", "unpadded_wid", "wid")
"""Placeholders that differ from run to run, beside the hyperparameters."""

OF_A_LAUNCH = ("date", "experiment", "farm", "git", "launch", "title", "user", "xid")
"""Placeholders that all runs of a launch share; EXP_NAME takes these alone, no ``experiment``."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

_DRAWN = 1000
"""How many slugs are drawn before their words are combined."""


class NameContext(NamedTuple):
    """What a launch puts into the names of its runs.

    ``texts`` are those of OF_A_LAUNCH, ``total`` is the highest number of runs, ``varying`` are the
    hyperparameters that are not the same in all of them, ``own`` returns the texts of NAMES.
    """

    texts: Mapping[str, str]
    total: int
    varying: Collection[str]
    own: Callable[[Point], Mapping[str, str]] = lambda _: {}


def safe(text: str, longest: int = LONGEST) -> str:
    """Return a text as the name of a directory, in the directory that it is made in.

    What is longer than ``longest`` bytes is shortened with a hash, so that two texts stay apart.

    >>> safe("ocrnet/HRNet"), safe("../x"), safe("größe 1"), safe("lr=0.1,opt=sgd")
    ('ocrnet-HRNet', 'x', 'größe-1', 'lr=0.1,opt=sgd')
    >>> safe("a" * 30, longest=20)
    'aaaaaaaaaaa-3a54fc0c'
    """
    plain = unicodedata.normalize("NFC", text)
    name = "".join(char if _is_safe(char) else "-" for char in plain)
    name = re.sub(r"-{2,}", "-", name).lstrip(".-").rstrip("-")
    if not name:
        return f"tag-{_digest(text)}" if text else ""
    if len(name.encode()) <= longest:
        return name
    end = f"-{_digest(text)}"
    return name.encode()[: longest - len(end)].decode(errors="ignore") + end


def new_launch(now: datetime) -> str:
    """Return the id of a launch: its time in UTC, and random digits for launches of one second."""
    return f"{now.astimezone(timezone.utc):%Y-%m-%dT%H.%M.%SZ}-{os.urandom(3).hex()}"


def run_names(now: datetime, slugs: Iterator[str] | None = None) -> Callable[[str], str]:
    """Return a function from tags to new names, of which no two are the same.

    ``slugs`` are the words in them; coolname's by default.

    >>> new_name = run_names(datetime(2026, 2, 6, 14, 19), iter(["wise-owl", "shy-lion"]))
    >>> new_name(""), new_name("my tag")
    ('wise-owl_2026.02.06_14.19', 'my-tag_shy-lion_2026.02.06_14.19')
    """
    slugs = slugs or new_slugs()
    stamp = now.strftime("_%Y.%m.%d_%H.%M")
    prefixes: dict[str, str] = {"": ""}

    def new_name(tag: str) -> str:
        if tag not in prefixes:
            prefixes[tag] = safe(tag) + "_"
        return prefixes[tag] + next(slugs) + stamp

    return new_name


def new_slugs(draw: Callable[[int], str] | None = None) -> Iterator[str]:
    """Yield slugs such as ``wise-owl``, of which no two are the same.

    ``draw`` returns a slug of a number of words; coolname's by default. A thousand are
    drawn; their words make some two hundred thousand more, without a draw for each.
    """
    draw = draw or _coolname()
    used: set[str] = set()
    while len(used) < _DRAWN:
        slug = draw(2)
        if slug in used:
            slug = _unused(draw, used)
        used.add(slug)
        yield slug
    for slug in _combined(list(used)):
        if slug not in used:
            used.add(slug)
            yield slug
    while True:
        slug = _unused(draw, used)
        used.add(slug)
        yield slug


def preview_slugs() -> Iterator[str]:
    """Return the slugs of a preview, whose names no run gets.

    >>> from itertools import islice
    >>> list(islice(preview_slugs(), 2))
    ['NAME-1', 'NAME-2']
    """
    return map("NAME-{}".format, count(1))


def tag_names() -> Callable[[str], str]:
    """Return a function from tags to names that are the tag alone.

    It raises where a tag is empty, or two of them are one name.

    >>> tag_names()("ocrnet/HRNet")
    'ocrnet-HRNet'
    """
    used: dict[str, str] = {}

    def new_name(tag: str) -> str:
        if not tag:
            raise SettingsError(
                "--no_cooldir names runs by their tag alone, and one has none;"
                " give --tag, or RUNX.TAG in HPARAMS"
            )
        name = safe(tag)
        _check_not_steps(name, f"tag {tag!r}")
        if name in used:
            raise SettingsError(
                f"--no_cooldir: two runs would be called {name} (tags {used[name]!r}, {tag!r});"
                " put what differs into RUNX.TAG, as '{lr}'"
            )
        used[name] = tag
        return name

    return new_name


def template_names(
    template: str,
    launch: NameContext,
    hparams: Collection[str],
    identify: Callable[[Point], str],
    slug: Callable[[], str],
    where: str = "RUN_NAME",
) -> Callable[[Point], str]:
    """Return a function that names one point after another by a template, no two the same.

    ``identify`` returns the ``{id}`` of a point, ``slug`` a new ``{coolname}``; ``hparams`` are the
    names of hyperparameters and of NAMES, ``where`` is the place of the template, for errors.

    >>> launch = NameContext({"user": "me"}, total=20, varying=["lr"])
    >>> new_name = template_names("{wid}{sep}{sweep}", launch, ["lr"], str, str)
    >>> new_name(Point((Hparam("lr", 0.1, "1e-1"), Hparam("opt", "sgd", "sgd"))))
    '01-lr=1e-1'
    """
    names = _PLACEHOLDER.findall(template)
    _check(names, [*OF_A_RUN, *OF_A_LAUNCH, *hparams], where)
    used: dict[str, int] = {}

    def new_name(point: Point) -> str:
        number = len(used) + 1
        texts = _texts(point, launch, number)
        if "id" in names:
            texts["id"] = identify(point)
        if "coolname" in names:
            texts["coolname"] = slug()
        name = safe(_PLACEHOLDER.sub(lambda match: texts.get(match[1], ""), template), LONGEST_NAME)
        _check_new(name, used, number, where)
        used[name] = number
        return name

    return new_name


def fill_template(template: str, texts: Mapping[str, str], where: str) -> str:
    """Return a template that is the same for all runs, as EXP_NAME, with its texts.

    >>> fill_template("{user}-{date}", {"user": "me", "date": "2026.02.06"}, "EXP_NAME")
    'me-2026.02.06'
    """
    _check(_PLACEHOLDER.findall(template), texts, where)
    return _PLACEHOLDER.sub(lambda match: texts[match[1]], template)


def sweep_text(point: Point, varying: Collection[str]) -> str:
    """Return what varies as text, but for values that hold the run's own directory.

    >>> sweep_text(Point((Hparam("lr", 0.1, "0.1"), Hparam("amp", True, None))), ["lr", "amp"])
    'lr=0.1,amp=true'
    """
    shown = [each for each in point.hparams if each.name in varying and each.value is not None]
    texts = {each.name: _text(each) for each in shown}
    return ",".join(f"{name}={text}" for name, text in texts.items() if "LOGDIR" not in text)


def _combined(slugs: Iterable[str]) -> Iterator[str]:
    """Yield each first word with the rest of each of the others, neither the same twice in a row.

    >>> sorted(_combined(["wise-owl", "shy-lion-of-joy"]))
    ['shy-lion-of-joy', 'shy-owl', 'wise-lion-of-joy', 'wise-owl']
    """
    pairs = [slug.split("-", 1) for slug in slugs if "-" in slug] or [["run", "run"]]
    firsts, rests = (list(dict.fromkeys(part)) for part in zip(*pairs, strict=True))
    pairings = len(firsts) * len(rests)
    # Steps of the golden section spread evenly; with no common divisor they reach each pair once.
    stride = next(
        size
        for size in range(1 + int(pairings * 0.618), 2 * pairings + 2)
        if gcd(size, pairings) == 1
    )
    for number in range(0, pairings * stride, stride):
        yield f"{firsts[number % len(firsts)]}-{rests[number % pairings // len(firsts)]}"


def _unused(draw: Callable[[int], str], used: set[str]) -> str:
    """Return a new slug of three words, or four: there are millions of those, and more."""
    for attempt in range(1000):
        slug = draw(3 if attempt < 4 else 4)
        if slug not in used:
            return slug
    raise AssertionError("no unused name in a thousand draws")


def _coolname() -> Callable[[int], str]:
    from coolname import generate_slug

    draw: Callable[[int], str] = generate_slug
    return draw


def _is_safe(char: str) -> bool:
    """Return whether a character is a letter, digit or mark, or one that needs no quotes."""
    return char in "._-+=,@%" or unicodedata.category(char)[0] in "LNM"


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _texts(point: Point, launch: NameContext, number: int) -> dict[str, str]:
    """Return the texts of the placeholders for a run, but for its id and its coolname."""
    sweep = sweep_text(point, launch.varying)
    return {
        **{hparam.name: _text(hparam) for hparam in point.hparams},
        **launch.texts,
        "sweep": sweep,
        "sep": "-" if sweep else "",
        "tag": point.tag,
        "unpadded_wid": str(number),
        **launch.own(point),
        "wid": str(number).zfill(len(str(launch.total))),
    }


def _text(hparam: Hparam) -> str:
    if isinstance(hparam.text, tuple):
        return "-".join(hparam.text)
    return value_text(hparam.value) if hparam.text is None else hparam.text


def _check(names: list[str], allowed: Collection[str], where: str) -> None:
    for name in names:
        if name not in allowed:
            raise SettingsError(f"{where}: {{{name}}} is unknown: {suggestion(name, allowed)}")


def _check_not_steps(name: str, where: str) -> None:
    if name == STEPS:
        raise SettingsError(
            f"{where}: no run can be called {STEPS}, where what runs share lies; choose another"
        )


def _check_new(name: str, used: Mapping[str, int], number: int, where: str) -> None:
    if not name:
        raise SettingsError(f"{where}: run {number} would have no name; put {{wid}} into it")
    _check_not_steps(name, where)
    if name in used:
        raise SettingsError(
            f"{where}: runs {used[name]} and {number} would both be called {name};"
            " put {wid}, {coolname} or what differs into it"
        )
