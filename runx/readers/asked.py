"""The metrics that METRICS asks for: patterns over a run's output, and places in its files."""

from __future__ import annotations

import csv
import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from runx.readers.base import Row, Warn
from runx.readers.csvlog import SUFFIXES, cells_of
from runx.readers.jsonlog import objects_of
from runx.readers.measured import Source
from runx.readers.shaping import flat, measurement
from runx.rundir.files import unblocked
from runx.rundir.output import without_escapes
from runx.rundir.paths import ExperimentDir
from runx.rundir.record import read_or_empty
from runx.rundir.records import number, text_of

OUTPUT = "output.log"
EPOCH = "epoch"
"""The entry of METRICS that is no metric: the pattern of the epoch that others are of."""
PHASES = ("train", "val", "test")
LINE = 1_000
"""Characters of a line that a pattern is looked for in."""
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_EXPONENT = re.compile(r"[eE][-+]?\d+\b", re.ASCII)
_CHUNK, _MOST = 1 << 20, 1 << 28  # bytes: read at once, and of a file's end in all
_STATES = 1_000
"""States of one progress bar that are looked at, the last ones."""
SECONDS = 20.0
"""How long patterns are looked for in a file."""
Locate: TypeAlias = Callable[[str], "str | None"]
"""Returns the name in the run of a file that METRICS names, None where it isn't there."""


class Asked(NamedTuple):
    """A metric that is asked for: a group of a pattern, or a key of a file.

    ``name`` may begin with a phase, as train.loss. An empty ``file`` is the output.
    """

    name: str
    pattern: str = ""
    file: str = ""
    key: str = ""

    @property
    def phase_and_metric(self) -> tuple[str, str]:
        """The phase, val unless the name says another, and the metric.

        >>> Asked("train.loss").phase_and_metric, Asked("top.1").phase_and_metric
        (('train', 'loss'), ('val', 'top.1'))
        """
        phase, dot, metric = self.name.partition(".")
        return (phase, metric) if dot and metric and phase in PHASES else ("val", self.name)


def recorded(experiment: ExperimentDir, warn: Warn) -> tuple[Asked, ...]:
    """Return what METRICS asked for at the last launch that set it: that holds for all runs."""
    if not os.path.lexists(experiment.metrics):  # nor where this user may not look
        return ()
    metrics = read_or_empty(experiment.metrics, warn).get("metrics")
    if not isinstance(metrics, dict):
        return ()
    try:
        return tuple(Asked(name, **each) for name, each in metrics.items())
    except TypeError as error:
        warn(f"{experiment.metrics}: left out: {error}")
        return ()


def read_asked(run: str, asked: Sequence[Asked], locate: Locate, warn: Warn) -> list[Source]:
    """Return what METRICS asks for, a source for each file and way to read it."""
    epoch = next((each.pattern for each in asked if each.name == EPOCH), "")
    sources = []
    metrics = [each for each in asked if each.name != EPOCH]
    for file in dict.fromkeys(each.file or OUTPUT for each in metrics):
        if (name := locate(file)) is None:
            continue  # It isn't written yet.
        of_file = [each for each in metrics if (each.file or OUTPUT) == file]
        by_pattern = [each for each in of_file if each.pattern]
        by_key = [each for each in of_file if not each.pattern]
        try:
            rows = [*_scanned(f"{run}/{name}", by_pattern, epoch, warn)] if by_pattern else []
            rows += _looked_up(f"{run}/{name}", by_key) if by_key else []
        except (OSError, ValueError, RecursionError, csv.Error) as error:
            warn(f"{run}/{name}: METRICS: can't be read: {error}")
            continue
        sources.append(Source("METRICS", [row._replace(file=name) for row in rows]))
    return sources


def _scanned(path: str, asked: Sequence[Asked], epoch: str, warn: Warn) -> Iterator[Row]:
    """Yield what patterns find: of a line its first match, of a progress bar its last state's.

    The epoch is that of the line, or of the last one that had any; without a pattern for it,
    matches are numbered from 1.
    """
    patterns = [(*each.phase_and_metric, re.compile(each.pattern)) for each in asked]
    counts: Counter[tuple[str, str]] = Counter()
    of_epoch = re.compile(epoch) if epoch else None
    at: Any = None
    until = time.monotonic() + SECONDS
    for states in _lines(path):
        found: dict[tuple[str, str, Any], Any] = {}
        for state in states:
            if of_epoch and (match := of_epoch.search(state)):
                at = _value(match)
            for phase, metric, pattern in patterns:
                if (match := pattern.search(state)) and (value := _value(match)) != "":
                    found[phase, metric, at] = value
        for (phase, metric, of), value in found.items():
            counts[phase, metric] += 1
            numbered = of if of_epoch else counts[phase, metric]
            yield Row(phase, None if isinstance(numbered, str) else numbered, {metric: value})
        if time.monotonic() > until:
            warn(f"{path}: METRICS: took {SECONDS:g} s; the rest of it is left out")
            return


def _value(match: re.Match[str]) -> float | str:
    """Return what a pattern has found, as a number without the signs that may follow one.

    A number is read whole, with the exponent that ``[0-9.]+`` leaves out.

    >>> _value(re.search("acc (.*)", "acc 91.2%.")), _value(re.search("n (.*)", "n 1,000"))
    (91.2, 1000)
    >>> _value(re.search("loss ([0-9.]+)", "loss 3.5e-05"))
    3.5e-05
    """
    group = "value" if "value" in match.re.groupindex else 1
    text = match[group] or ""
    if text[-1:].isdecimal() and (rest := _EXPONENT.match(match.string, match.end(group))):
        text += rest[0]
    text = text.strip().rstrip(".,;:%" if "(" in text else ".,;:%)]}")
    return number(text.replace(",", "") if _THOUSANDS.fullmatch(text) else text)


def _lines(path: str) -> Iterator[list[str]]:
    """Yield for each line its states: several of a progress bar, which rewrites its line."""
    with open(path, "rb", opener=unblocked) as file:
        size = file.seek(0, 2)
        file.seek(max(size - _MOST, 0))
        rest = b""
        while chunk := file.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from map(_states, lines)
            # A bar that has gone on for long: its last states are enough.
            rest = rest[-_CHUNK:]
        if rest:
            yield _states(rest)


def _states(line: bytes) -> list[str]:
    states = line.split(b"\r")[-_STATES:] if b"\r" in line else [line]
    texts = (without_escapes(text_of(state[: 4 * LINE])) for state in states)
    return [text[:LINE] for text in texts]


def _looked_up(path: str, asked: Sequence[Asked]) -> Iterator[Row]:
    """Yield the values of keys: of each row of a CSV file, of each JSON object."""
    objects = [*_objects(path)]
    for count, content in enumerate(objects, 1):
        leaves = dict(flat(content))
        own = measurement(leaves)
        at = own.epoch if own.epoch is not None else own.step
        if at is None and len(objects) > 1:
            at = count
        for each in asked:
            phase, metric = each.phase_and_metric
            found = lookup(content, each.key or metric)
            values = found if isinstance(found, list) else [found]
            for nth, value in enumerate(values, 1):
                if isinstance(value, (int, float, str)):
                    yield Row(phase, nth if isinstance(found, list) else at, {metric: value})


def _objects(path: str) -> Iterable[Mapping[str, Any]]:
    if path.lower().endswith(SUFFIXES):
        return cells_of(path)
    try:
        content = json.loads(text_of(Path(path).read_bytes()))
    except ValueError:
        return objects_of(path)
    contents = content if isinstance(content, list) else [content]
    return [each for each in contents if isinstance(each, dict)]


def lookup(content: Any, key: str) -> Any:
    """Return what a key names: itself, or inner keys and numbers of items with dots between.

    >>> lookup({"eval": {"f.1": [5, 7]}}, "eval.f.1.0"), lookup({"a": 1}, "b")
    (5, None)
    """
    if isinstance(content, list) and key.partition(".")[0].isdecimal():
        at, _, rest = key.partition(".")
        inner = content[int(at)] if int(at) < len(content) else None
        return lookup(inner, rest) if rest else inner
    if not isinstance(content, Mapping):
        return None
    if key in content:
        return content[key]
    parts = key.split(".")
    heads = (".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    return next(
        (lookup(content[head], key[len(head) + 1 :]) for head in heads if head in content), None
    )
