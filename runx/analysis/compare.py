"""Two settings compared over their seeds: is the difference real? Pure, but for scipy."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, identity, names_of, value, varying
from runx.analysis.question import Question
from runx.analysis.table import Row, Table, chosen
from runx.errors import RunxError, StoreError
from runx.rundir.files import read_json
from runx.rundir.paths import ExperimentDir, RunDir
from runx.rundir.run import RunRecord


class Verdict(NamedTuple):
    """A t-test: the difference of two means, its 95% interval, and how likely chance is."""

    kind: str
    difference: float
    low: float
    high: float
    p: float


def t_test(first: Sequence[float], second: Sequence[float], paired: bool) -> Verdict:
    """Test whether two means differ: paired where both have the same seeds, else Welch's."""
    try:
        from scipy import stats
    except ImportError as error:
        raise RunxError("--compare needs scipy: pip install scipy") from error
    if paired:
        found = stats.ttest_rel(first, second)
    else:
        found = stats.ttest_ind(first, second, equal_var=False)
    interval = found.confidence_interval(0.95)
    difference = math.fsum(first) / len(first) - math.fsum(second) / len(second)
    kind = "paired" if paired else "Welch"
    return Verdict(kind, difference, float(interval.low), float(interval.high), float(found.pvalue))


def compare(
    runs: Sequence[RunRecord],
    settings: tuple[str, str],
    over: Sequence[Column],
    metrics: Sequence[Column],
) -> Table:
    """Make a table of the differences between two settings, a row for each metric."""
    first, second = (_like(runs, setting) for setting in settings)
    matched = _matched(first, second, over)
    rows = [
        Row(tuple(_cells(column, first, second, matched)))
        for column in metrics
        if _numbers(first, column) and _numbers(second, column)
    ]
    if not rows:
        raise RunxError(f"--compare {' '.join(settings)}: they have no metric in common")
    heads = [
        Column("metric", "run"),
        *(Column(setting, "metric") for setting in settings),
        *(Column(name, "metric") for name in ("difference", "low", "high", "p")),
        Column("test", "run"),
    ]
    return Table(tuple(heads), tuple(rows))


def _like(runs: Sequence[RunRecord], setting: str) -> list[RunRecord]:
    """Find the runs of a setting, written ``lr=0.1`` or as an expression."""
    name, equals, text = setting.partition("=")
    plain = equals and name.strip().replace(".", "").replace("_", "").isalnum() and text[:1] != "="
    if not plain and not re.search(r"[<>=!]|\b(?:in|is|not)\b", setting):
        raise RunxError(f"--compare {setting}: write NAME=VALUE, or a condition like 'lr < 0.1'")
    where = f"hp['{name.strip()}'] == {_literal(text.strip())}" if plain else setting
    found = chosen(runs, Question(where=where))
    if not found:
        raise RunxError(f"--compare {setting}: no run is like that")
    return found


def _literal(text: str) -> str:
    """Write a value as an expression does: numbers and truths bare, anything else quoted."""
    if text.lower() in ("true", "false", "none", "null"):
        return text
    try:
        float(text)
    except ValueError:
        return repr(text)
    return text


def _matched(
    first: Sequence[RunRecord], second: Sequence[RunRecord], over: Sequence[Column]
) -> list[Column]:
    """Say what runs are matched by: the seeds, and all else that differs within a setting."""
    if not over:
        return []
    names = dict.fromkeys((*varying(first), *varying(second)))
    return [*over, *(Column(name, "hparam", name) for name in names)]


def _numbers(runs: Sequence[RunRecord], column: Column) -> list[float]:
    found = (value(run, column) for run in runs)
    return [float(one) for one in found if isinstance(one, (int, float)) and math.isfinite(one)]


def _cells(
    column: Column, first: Sequence[RunRecord], second: Sequence[RunRecord], over: Sequence[Column]
) -> list[Any]:
    pairs = _pairs(column, first, second, over)
    one, two = _numbers(first, column), _numbers(second, column)
    means = [math.fsum(numbers) / len(numbers) for numbers in (one, two)]
    if pairs and len(pairs) > 1:
        test = t_test([a for a, _ in pairs], [b for _, b in pairs], paired=True)
    elif min(len(one), len(two)) > 1:
        test = t_test(one, two, paired=False)
    else:
        nothing = [means[0] - means[1], None, None, None, "none: one run is no sample"]
        return [column.heading, *means, *nothing]
    return [column.heading, *means, test.difference, test.low, test.high, test.p, test.kind]


def _pairs(
    column: Column, first: Sequence[RunRecord], second: Sequence[RunRecord], over: Sequence[Column]
) -> list[tuple[float, float]]:
    """Pair runs by what they are matched by; nothing where that isn't the same, each once."""
    sides = []
    for runs in (first, second):
        there = {tuple(identity(value(run, one)) for one in over): run for run in runs}
        if not over or len(there) != len(runs):
            return []
        sides.append(there)
    if sides[0].keys() != sides[1].keys():
        return []
    found = []
    for seed, run in sides[0].items():
        both = (_numbers([run], column), _numbers([sides[1][seed]], column))
        if not all(both):
            return []
        found.append((both[0][0], both[1][0]))
    return found


_LARGEST = 1 << 20


def difference(one: RunRecord, two: RunRecord) -> Iterator[str]:
    """Write what differs between two runs, as lines; unchanged things are not there."""
    yield f"- {one.name}"
    yield f"+ {two.name}"
    yield from _section("hparams", one.hparams, two.hparams)
    yield from _section("metrics", one.metrics, two.metrics)
    yield from _section("launch", _launch(one.dir), _launch(two.dir))
    yield from _section("packages", _packages(one.dir), _packages(two.dir))
    code = list(code_difference(one.dir.code, two.dir.code))
    if code:
        yield from ("", "code", *code)


def _section(title: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[str]:
    changed = [
        name for name in names_of((one, two)) if identity(one.get(name)) != identity(two.get(name))
    ]
    if changed:
        yield from ("", title)
    for name in changed:
        for sign, side in (("-", one), ("+", two)):
            if name in side:
                yield f"  {sign} {name}: {for_machines(side[name])}"


def _launch(run: RunDir) -> dict[str, Any]:
    """Give what a run's surroundings were: where, with which Python, from which commit."""
    record, told = _record(run), _told(run)
    git = told.get("git") or {}
    return {
        "cmd": record.get("cmd"),
        "resources": record.get("resources"),
        "host": told.get("host"),
        "python": told.get("python"),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
    }


def _record(run: RunDir) -> dict[str, Any]:
    return _read(run.record)


def _folder(run: RunDir) -> Path:
    return ExperimentDir(run.path.parent).launches / str(_record(run).get("launch") or ".none")


def _told(run: RunDir) -> dict[str, Any]:
    return _read(_folder(run) / "launch.json")


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except StoreError:
        return {}


def _packages(run: RunDir) -> dict[str, str]:
    try:
        lines = (_folder(run) / "packages.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def code_difference(one: Path, two: Path) -> Iterator[str]:
    """Write a unified diff of two runs' frozen code; files that are the same are not read."""
    names = sorted({*_files(one), *_files(two)})
    for name in names:
        first, second = one / name, two / name
        if first.exists() and second.exists() and first.samefile(second):
            continue
        yield from _file_difference(first, second, name)


def _files(root: Path) -> Iterator[str]:
    if root.is_dir():
        for path in root.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(root))


def _file_difference(first: Path, second: Path, name: str) -> Iterator[str]:
    sides = [path.read_bytes() if path.is_file() else b"" for path in (first, second)]
    if sides[0] == sides[1] and first.exists() == second.exists():
        return
    if any(b"\0" in side or len(side) > _LARGEST for side in sides):
        yield f"binary or large file {name} differs"
        return
    old, new = (side.decode("utf-8", "replace").splitlines() for side in sides)
    yield from difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
