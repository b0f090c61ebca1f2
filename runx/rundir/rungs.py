"""The rungs of a search: what its runs had at an epoch, and by that, which of them stop early.

An entry is an empty file whose name has the value, so that one listing is the whole rung.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from runx.errors import StoreError
from runx.rundir.claims import link_claim
from runx.rundir.files import read_json, to_json
from runx.rundir.orders import PRUNE, write_order
from runx.rundir.paths import RunDir
from runx.rundir.pruning import Goal, Rule, Verdict, rule_of
from runx.rundir.record import trial_in
from runx.rundir.searches import SearchDir

_PHASES = ("train", "val", "test")


class Judgement(NamedTuple):
    """Whether a run goes on; its value at an epoch, and those of the runs that came before it."""

    verdict: Verdict
    epoch: int
    value: float
    others: Mapping[str, float]


class Judge(NamedTuple):
    """By what runs of a search are stopped early: a rule, and a metric of a phase with its goal."""

    folder: SearchDir
    rule: Rule
    phase: str
    metric: str
    goal: Goal

    def enter(self, run: str, point: int, epoch: float, value: float) -> Judgement | None:
        """Write down what a run has at an epoch; return what that is beside those before it.

        Other seeds of its point are no rivals. None where nothing is decided then, or this run was
        there before: one that was requeued counts once.

        Raises:
            OSError: It can't be written.
        """
        rung = self.rule.rung(epoch)
        if rung is None:
            return None
        found = _entries(self.folder, rung)
        if run in found:
            return None
        place = self.folder.rung(rung)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{run}={point}={value!r}").touch()
        others = {name: other for name, (of, other) in found.items() if of != point}
        verdict = self.rule.verdict(rung, value, list(others.values()), self.goal)
        return Judgement(verdict, rung, value, others)


def judge_of(folder: SearchDir, step: str = "") -> Judge | None:
    """Return by what runs of a search are stopped early, None where they aren't.

    ``step`` is the name of the step that measures, whose metrics are named without it.

    Raises:
        StoreError: What is written of the search is damaged.
    """
    content = read_json(folder.record)
    try:
        rules = [rule_of(name, options) for name, options in content.get("prune", {}).items()]
        if not rules:
            return None
        phase, metric = _measured(content["metrics"][0], step)
        return Judge(folder, rules[0], phase, metric, content["goals"][0])
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise StoreError(f"{folder.record}: is no search of runx: {error}") from error


def _measured(metric: str, step: str) -> tuple[str, str]:
    """Return the phase and the name of a metric in sumx's words, without the name of its step.

    >>> _measured("eval.acc:last", "eval"), _measured("train.loss@9", "train")
    (('val', 'acc'), ('train', 'loss'))
    """
    name = metric.partition("@")[0].rpartition(":")[0] or metric.partition("@")[0]
    first, dot, rest = name.partition(".")
    if dot and first == step and first not in _PHASES:
        first, dot, rest = (name := rest).partition(".")
    return (first, rest) if dot and first in _PHASES else ("val", name)


def entries(folder: SearchDir, epoch: int) -> dict[str, float]:
    """Return what runs had at an epoch, by their names."""
    return {run: value for run, (_, value) in _entries(folder, epoch).items()}


def _entries(folder: SearchDir, epoch: int) -> dict[str, tuple[int, float]]:
    """Return the point and the value of each run at an epoch, by its name."""
    try:
        names = os.listdir(folder.rung(epoch))  # noqa: PTH208
    except FileNotFoundError:
        return {}
    found = {}
    for name in names:
        # NFS has files of its own where one was removed that is open.
        run, *words = name.rsplit("=", 2)
        with suppress(ValueError):
            point, value = words
            found[run] = int(point), float(value)
    return found


def rungs(folder: SearchDir) -> dict[int, dict[str, float]]:
    """Return the rungs of a search by their epochs, the first one first."""
    try:
        names = os.listdir(folder.path / "rungs")  # noqa: PTH208
    except FileNotFoundError:
        return {}
    epochs = sorted(int(name) for name in names if name.isdecimal())
    return {epoch: entries(folder, epoch) for epoch in epochs}


def stop(judge: Judge, run: RunDir, attempt: int, judgement: Judgement) -> None:
    """Have a run, or a step of one, stop for good, and with it all seeds of its point.

    run.sh repeats the reason.

    Raises:
        StoreError, OSError: That can't be written, or what is written of the run is damaged.
    """
    why = plain(judgement.verdict.why)
    details = {"why": why, "goal": judge.goal, **judgement._asdict()}
    del details["verdict"]
    write_order(run, PRUNE, attempt, details=details)
    run.stop_requested.write_text(f"pruned: {why}\n", encoding="utf-8")
    trial = trial_in(read_json(run.owner.record))
    if trial is not None:
        content = {"run": run.owner.name, "why": plain(f"{run.owner.name}: {why}")}
        link_claim(judge.folder.pruned(trial.number), to_json(content))


def plain(text: str) -> str:
    """Return text as bash takes it out of JSON: without quotes, in letters that are never escaped.

    >>> plain('so "bad"')
    "so 'bad'"
    """
    letters = (letter if " " <= letter <= "~" else "?" for letter in text)
    return "".join(letters).replace('"', "'").replace("\\", "'")
