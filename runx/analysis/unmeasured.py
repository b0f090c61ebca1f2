"""What to say where runs have no metrics: where they were looked for, and what to add."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runx.analysis.better import direction
from runx.readers.asked import EPOCH, OUTPUT, Asked, recorded
from runx.rundir.output import tail, without_escapes
from runx.rundir.paths import ExperimentDir
from runx.rundir.phases import split
from runx.rundir.run import RunRecord

_WORDS = r"[A-Za-z][A-Za-z0-9_/@-]*(?: [A-Za-z_/@-][A-Za-z0-9_/@-]*)?"
_PRINTED = re.compile(rf"({_WORDS})( ?[:=] ?)[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?(?![\w.:/-])")
"""What scripts print of a metric: one or two words, a sign, and a number."""
_PRINTED_EPOCH = re.compile(r"\b([Ee]poch[ :=\[(]+)[0-9]+", re.ASCII)
_NOT_BEGUN = frozenset({"planned", "queued", "blocked"})
"""States in which a run can have no metrics yet."""
_LOOKED = (
    "looked for logx's metrics.csv and, below LOGDIR and in what runs changed in their code, for"
    " TensorBoard's events, a CSV or JSON lines with a step or an epoch, trainer_state.json and"
    " results.json"
)


def unmeasured(runs: Sequence[RunRecord], others: Sequence[str]) -> Iterator[str]:
    """Yield a line where runs lack metrics, or what METRICS asks for.

    ``others`` are the metrics that they have of other phases than validation.
    """
    begun = [run for run in runs if run.tool == "runx" and run.state not in _NOT_BEGUN]
    if not begun:
        return
    parents = dict.fromkeys(run.dir.path.parent for run in begun)
    asked = [each for parent in parents for each in recorded(ExperimentDir(parent), lambda _: None)]
    found = {name for run in begun for name in run.sources}
    for each in asked:
        if each.name != EPOCH and each.name.removeprefix("val.") not in found:
            yield f"METRICS: {each.name} is in no run: {_described(each)}"
    if not asked and not others and not any(run.metrics for run in runs):
        yield f"no run has metrics: {_LOOKED}; {_advice(begun)}"


def _described(asked: Asked) -> str:
    """Return what METRICS looks for, and where.

    >>> _described(Asked("acc", pattern="acc (.)")), _described(Asked("acc", file="a.json"))
    ("'acc (.)' fits no line of output.log", 'there is no acc in a.json')
    """
    if asked.pattern:
        return f"{asked.pattern!r} fits no line of {asked.file or OUTPUT}"
    return f"there is no {asked.key or asked.phase_and_metric[1]} in {asked.file}"


def _advice(runs: Sequence[RunRecord]) -> str:
    """Return what to add to the experiment's file, by what the runs have printed if that helps."""
    suggested = next(filter(None, (entries_for(tail(run.dir.output)) for run in runs[:5])), None)
    example = suggested or "acc: 'val acc: ([0-9.]+)'"
    what = "what they print can be read" if suggested else "what a script prints can be read"
    add = f"add METRICS: {{{example}}} to the YAML, then runx FILE --resume"
    return f"{what}: {add}; see docs/yaml.md"


def entries_for(output: str) -> str | None:
    """Return entries of METRICS for what an output says last, None where that is no metric.

    >>> entries_for("val acc: 0.91\\nsaved to x:1\\n")
    "acc: 'val acc: ([0-9.eE+-]+)'"
    >>> entries_for("Epoch [1/9] val acc: 0.91\\n")
    "epoch: 'Epoch \\\\[([0-9]+)', acc: 'val acc: ([0-9.eE+-]+)'"
    """
    lines = without_escapes(output).replace("\r", "\n").splitlines()
    printed = [match for line in lines for match in _PRINTED.finditer(line)]
    known = [match for match in printed if direction(match[1]) is not None]
    measured = [match for match in known if split(match[1]).phase != "train"]
    if not known:
        return None
    match = (measured or known)[-1]
    phase, metric = split(match[1])
    name = re.sub(r"\W+", "_", metric).strip("_")
    prefix = "train." if phase == "train" else ""
    entries = {f"{prefix}{name}": f"{re.escape(match[1] + match[2])}([0-9.eE+-]+)"}
    epoch = _PRINTED_EPOCH.search(output)
    if epoch:
        entries = {EPOCH: f"{re.escape(epoch[1])}([0-9]+)", **entries}
    return ", ".join(f"{key}: '{pattern}'" for key, pattern in entries.items()).replace("\\ ", " ")
