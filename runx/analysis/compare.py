"""Two settings compared over their seeds by a t-test, and the differences between two runs."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runx.analysis.cells import for_machines
from runx.analysis.codes import mixed, short_codes
from runx.analysis.columns import Column, finite, identity, names_of, value, varying
from runx.analysis.question import Question
from runx.analysis.table import Row, Table, chosen
from runx.errors import RunxError
from runx.rundir.paths import RunDir
from runx.rundir.record import launch_folder, launch_of, read_or_empty
from runx.rundir.run import RunRecord


class TTest(NamedTuple):
    """The result of a t-test: the difference of two means, its 95% interval, and the p-value."""

    kind: str
    difference: float
    low: float
    high: float
    p: float


def t_test(first: Sequence[float], second: Sequence[float], paired: bool) -> TTest:
    """Return the t-test of two means: a paired one, else Welch's.

    Raises:
        RunxError: scipy is not installed.
    """
    try:
        from scipy import stats
    except ImportError as error:
        raise RunxError("a t-test needs scipy: pip install scipy") from error
    if paired:
        result = stats.ttest_rel(first, second)
    else:
        result = stats.ttest_ind(first, second, equal_var=False)
    interval = result.confidence_interval(0.95)
    difference = math.fsum(first) / len(first) - math.fsum(second) / len(second)
    kind = "paired" if paired else "Welch"
    return TTest(kind, difference, float(interval.low), float(interval.high), float(result.pvalue))


def compare(
    runs: Sequence[RunRecord],
    settings: tuple[str, str],
    over: Sequence[Column],
    metrics: Sequence[Column],
) -> Table:
    """Return a table of the differences between two settings, a row for each metric.

    ``over`` are the columns of the seeds.

    Raises:
        RunxError: A setting has no runs, or they have no metric in common.
    """
    first, second = (_runs_with(runs, setting) for setting in settings)
    pairing = _pairing_columns(first, second, over)
    rows = [
        Row(tuple(_cells(column, first, second, pairing)))
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
    return Table(tuple(heads), tuple(rows), notes=_code_notes(settings, first, second))


def _code_notes(
    settings: tuple[str, str], first: Sequence[RunRecord], second: Sequence[RunRecord]
) -> tuple[str, ...]:
    """Return a note on the code of two settings where it isn't the same."""
    if not mixed((*first, *second)):
        return ()
    sides = zip(settings, (first, second), strict=True)
    return (f"code: {'; '.join(f'{name}: {short_codes(runs)}' for name, runs in sides)}",)


def _runs_with(runs: Sequence[RunRecord], setting: str) -> list[RunRecord]:
    """Return the runs of a setting, written ``lr=0.1`` or as an expression."""
    name, equals, text = setting.partition("=")
    is_pair = equals and name.strip().replace(".", "").replace("_", "").isalnum()
    is_pair = is_pair and text[:1] != "="
    if not is_pair and not re.search(r"[<>=!]|\b(?:in|is|not)\b", setting):
        raise RunxError(f"--compare {setting}: write NAME=VALUE, or a condition like 'lr < 0.1'")
    where = f"hp['{name.strip()}'] == {_literal(text.strip())}" if is_pair else setting
    matching = chosen(runs, Question(where=where))
    if not matching:
        raise RunxError(f"--compare {setting}: no run is like that")
    return matching


def _literal(text: str) -> str:
    """Return a value as a literal of an expression: text that is no number or truth is quoted."""
    if text.lower() in ("true", "false", "none", "null"):
        return text
    try:
        float(text)
    except ValueError:
        return repr(text)
    return text


def _pairing_columns(
    first: Sequence[RunRecord], second: Sequence[RunRecord], over: Sequence[Column]
) -> list[Column]:
    """Return the columns to pair runs by: the seeds, and all else that differs in a setting."""
    if not over:
        return []
    names = dict.fromkeys((*varying(first), *varying(second)))
    return [*over, *(Column(name, "hparam", name) for name in names)]


def _numbers(runs: Sequence[RunRecord], column: Column) -> list[float]:
    return [number for run in runs if (number := finite(value(run, column))) is not None]


def _cells(
    column: Column, first: Sequence[RunRecord], second: Sequence[RunRecord], over: Sequence[Column]
) -> list[Any]:
    pairs = _pairs(column, first, second, over)
    sides = _numbers(first, column), _numbers(second, column)
    means = [math.fsum(numbers) / len(numbers) for numbers in sides]
    if pairs and len(pairs) > 1:
        test = t_test([a for a, _ in pairs], [b for _, b in pairs], paired=True)
    elif min(map(len, sides)) > 1:
        test = t_test(*sides, paired=False)
    else:
        untested = [means[0] - means[1], None, None, None, "none: one run is no sample"]
        return [column.heading, *means, *untested]
    return [column.heading, *means, test.difference, test.low, test.high, test.p, test.kind]


def _pairs(
    column: Column, first: Sequence[RunRecord], second: Sequence[RunRecord], over: Sequence[Column]
) -> list[tuple[float, float]]:
    """Return a metric's numbers in pairs of runs; none where not each run has just one partner."""
    sides = []
    for runs in (first, second):
        by_key = {tuple(identity(value(run, seed)) for seed in over): run for run in runs}
        if not over or len(by_key) != len(runs):
            return []
        sides.append(by_key)
    if sides[0].keys() != sides[1].keys():
        return []
    pairs = []
    for key, run in sides[0].items():
        both = (_numbers([run], column), _numbers([sides[1][key]], column))
        if not all(both):
            return []
        pairs.append((both[0][0], both[1][0]))
    return pairs


_LARGEST = 1 << 20
"""The size of a file, in bytes, above which its difference is not written."""


def difference_lines(first: RunRecord, second: RunRecord) -> Iterator[str]:
    """Return the lines of what differs between two runs, in the manner of a diff."""
    yield f"- {first.name}"
    yield f"+ {second.name}"
    yield from _section("hparams", first.hparams, second.hparams)
    yield from _section("metrics", first.metrics, second.metrics)
    yield from _section("launch", _launch(first.dir), _launch(second.dir))
    yield from _section("packages", _packages(first.dir), _packages(second.dir))
    code = list(code_difference(first.dir.code, second.dir.code))
    if code:
        yield from ("", "code", *code)


def _section(title: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    names = names_of((first, second))
    changed = [name for name in names if identity(first.get(name)) != identity(second.get(name))]
    if changed:
        yield from ("", title)
    for name in changed:
        for sign, side in (("-", first), ("+", second)):
            if name in side:
                yield f"  {sign} {name}: {for_machines(side[name])}"


def _launch(run: RunDir) -> dict[str, Any]:
    """Return where a run was launched: its command, host, Python and commit."""
    record = read_or_empty(run.record, _silent)
    launch = launch_of(run, record, _silent)
    git = launch.get("git") or {}
    return {
        "cmd": record.get("cmd"),
        "resources": record.get("resources"),
        "host": launch.get("host"),
        "python": launch.get("python"),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
    }


def _packages(run: RunDir) -> dict[str, str]:
    """Return the versions of the Python packages that a run was launched with."""
    folder = launch_folder(run, read_or_empty(run.record, _silent))
    try:
        lines = (folder / "packages.txt").read_text(encoding="utf-8").splitlines() if folder else []
    except OSError:
        return {}
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def _silent(_: str) -> None:
    """Warn of nothing: a damaged file shows as a difference."""


def code_difference(first: Path, second: Path) -> Iterator[str]:
    """Return a unified diff of two folders, those of runs' frozen code; hard links are not read."""
    names = sorted({*_files(first), *_files(second)})
    for name in names:
        old, new = first / name, second / name
        if old.exists() and new.exists() and old.samefile(new):
            continue
        yield from _file_difference(old, new, name)


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
