"""SEARCH: what is chosen by what is known, how it is judged, and what is stopped early."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runx.config.kinds import SCALAR, SCALARS, Entry, Environment, Kind, Schema
from runx.errors import SettingsError, SweepError
from runx.nearest import suggestion
from runx.sweeps.values import Node, Scalar

if TYPE_CHECKING:
    from runx.rundir.searches import Goal

GOALS = ("minimize", "maximize", "min", "max")
_BUDGET = re.compile(r"(\d{1,12}(?:\.\d+)?)\s*(?:gpu[- ]?(?:hours?|h))", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", re.ASCII)


class SearchSettings(NamedTuple):
    """SEARCH as it is written: see ``rundir.searches.Search`` for what its fields mean.

    ``try_first`` are points, or parts of them, as YAML has them; ``warm_start`` names experiments
    or runs.
    """

    metrics: tuple[str, ...]
    goals: tuple[Goal, ...]
    trials: int
    sampler: str
    try_first: tuple[Mapping[str, Node], ...] = ()
    warm_start: tuple[str, ...] = ()
    prune: Mapping[str, Mapping[str, int]] = {}
    failed: str = "worst"
    target: float | None = None
    budget: float | None = None


KEYS = (
    *("metric", "goal", "trials", "sampler", "try_first", "warm_start", "prune", "failed"),
    *("budget", "target"),
)


def _search(name: str, entry: Entry, _: Environment) -> SearchSettings | None:
    assert isinstance(entry.node, dict)
    return _Reader(name, entry, entry.node).settings() if entry.node else None


class _Reader:
    """Reads the keys of SEARCH; every problem names the line of its key."""

    def __init__(self, name: str, entry: Entry, nodes: Mapping[str, Node]) -> None:
        self.name, self.entry = name, entry
        for key in nodes:
            if key not in KEYS:
                raise self._error(key, f"unknown key {key}; {suggestion(key, KEYS)}", "")
        # What is null is as if it weren't there.
        self.nodes = {
            key: node
            for key, node in nodes.items()
            if not (isinstance(node, Scalar) and node.value is None)
        }

    def settings(self) -> SearchSettings:
        for key in ("metric", "trials"):
            if key not in self.nodes:
                example = "as metric: val.loss" if key == "metric" else "as trials: 60"
                raise self._error("", f"{key} is missing; add it, {example}", "")
        metrics = self._metrics()
        return SearchSettings(
            metrics=metrics,
            goals=self._goals(metrics),
            trials=self._trials(),
            sampler=self._sampler(),
            try_first=self._points(),
            warm_start=self._words("warm_start"),
            prune=self._prune(metrics),
            failed=self._one_of("failed", ("worst", "ignore"), "worst"),
            target=self._target(metrics),
            budget=self._budget(),
        )

    def _error(self, key: str, problem: str, dot: str = ".") -> SettingsError:
        place = self.entry.at(key) if key else self.entry.origin
        named = f"{self.name}{dot}{key}" if key and dot else self.name
        return SettingsError(f"{place}: {named}: {problem}")

    def _text(self, key: str) -> str:
        node = self.nodes[key]
        if not isinstance(node, Scalar):
            raise self._error(key, "must be one value")
        return node.text.strip()

    def _words(self, key: str) -> tuple[str, ...]:
        node = self.nodes.get(key, [])
        items = node if isinstance(node, list) else [node]
        texts = [item.text.strip() if isinstance(item, Scalar) else "" for item in items]
        if not all(texts) or any("\0" in text for text in texts):
            raise self._error(key, "must be a name, or a list of names")
        if len(set(texts)) < len(texts):
            raise self._error(key, "has one name twice")
        return tuple(texts)

    def _metrics(self) -> tuple[str, ...]:
        metrics = self._words("metric")
        if not metrics:
            raise self._error("metric", "names no metric")
        return metrics

    def _goals(self, metrics: Sequence[str]) -> tuple[Goal, ...]:
        """Return a goal for each metric: as written, or by its name."""
        from runx.analysis.better import direction  # not at start
        from runx.analysis.question import Question

        if "goal" in self.nodes:
            node = self.nodes["goal"]
            items = node if isinstance(node, list) else [node] * len(metrics)
            words = [item.text.strip().lower() for item in items if isinstance(item, Scalar)]
            if len(words) != len(metrics):
                raise self._error("goal", "takes one goal for all metrics, or one for each")
            for word in words:
                if word not in GOALS:
                    raise self._error("goal", f"{word} is no goal; {suggestion(word, GOALS)}")
            return tuple(["minimize" if word.startswith("min") else "maximize" for word in words])
        goals: list[Goal] = []
        for metric in metrics:
            higher = direction(Question().sort_measure(metric).metric)
            if higher is None:
                problem = f"less or more of {metric}? add goal: minimize, or goal: maximize"
                raise self._error("metric", problem)
            goals.append("maximize" if higher else "minimize")
        return tuple(goals)

    def _trials(self) -> int:
        text = self._text("trials")
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not int(text):
            raise self._error(
                "trials", "must be a whole number from 1 on: how many points are tried"
            )
        return int(text)

    def _sampler(self) -> str:
        from runx.search.suggest import DEFAULT, check_sampler  # not at start

        if "sampler" not in self.nodes:
            return DEFAULT
        try:
            check_sampler(name := self._text("sampler"))
        except SweepError as error:
            raise self._error("sampler", str(error)) from None
        return name

    def _points(self) -> tuple[Mapping[str, Node], ...]:
        node = self.nodes.get("try_first", [])
        items = node if isinstance(node, list) else [node]
        points = []
        for item in items:
            if not isinstance(item, dict) or not item:
                raise self._error("try_first", "takes points, as [{lr: 1e-3, opt: adam}]")
            points.append(item)
        return tuple(points)

    def _prune(self, metrics: Sequence[str]) -> dict[str, dict[str, int]]:
        from runx.rundir.pruning import rule_of  # not at start

        node = self.nodes.get("prune")
        if node is None or (isinstance(node, Scalar) and node.value is False):
            return {}
        rules = {node.text.strip(): {}} if isinstance(node, Scalar) else node
        if not isinstance(rules, dict) or len(rules) != 1:
            raise self._error("prune", "takes one rule, as {asha: {first: 3, factor: 3}}")
        if len(metrics) > 1:
            problem = "goes by one metric, and there are several; leave it out"
            raise self._error("prune", problem)
        ((rule, options),) = rules.items()
        given: dict[str, Any] = {}
        if isinstance(options, dict):
            given = {
                key: each.value if isinstance(each, Scalar) else None
                for key, each in options.items()
            }
        elif not isinstance(options, Scalar) or options.value is not None:
            raise self._error("prune", f"{rule} takes a mapping, as {{first: 3, factor: 3}}")
        try:
            return {rule: dict(rule_of(rule, given)._asdict())}
        except SweepError as error:
            raise self._error("prune", str(error)) from None

    def _one_of(self, key: str, words: Sequence[str], usual: str) -> str:
        if key not in self.nodes:
            return usual
        if (word := self._text(key)) not in words:
            raise self._error(key, f"must be one of {', '.join(words)}")
        return word

    def _target(self, metrics: Sequence[str]) -> float | None:
        if "target" not in self.nodes:
            return None
        if len(metrics) > 1:
            raise self._error("target", "is of one metric, and there are several; leave it out")
        text = self._text("target")
        if not _NUMBER.fullmatch(text):
            raise self._error("target", "must be a number: the metric that ends the search")
        return float(text)

    def _budget(self) -> float | None:
        if "budget" not in self.nodes:
            return None
        match = _BUDGET.fullmatch(self._text("budget"))
        if not match or not float(match[1]):
            raise self._error("budget", "must be as 200 gpu-hours")
        return float(match[1])


_COUNT: Schema = {"type": "integer", "minimum": 1}
_GOAL = {"enum": list(GOALS)}
_NAMES = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR, "minItems": 1}]}


def _rule(first: str, first_least: int, second: str, second_least: int) -> Schema:
    return {
        "type": ["object", "null"],
        "properties": {
            first: {"type": "integer", "minimum": first_least},
            second: {"type": "integer", "minimum": second_least},
        },
        "additionalProperties": False,
    }


_PRUNE = {
    "anyOf": [
        {"enum": ["asha", "median", False, None]},
        {
            "type": "object",
            "properties": {
                "asha": _rule("first", 1, "factor", 2),
                "median": _rule("warmup", 0, "min_runs", 1),
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}
_POINT = {"type": "object", "minProperties": 1}
SEARCH = Kind(
    dict,
    "a mapping, as {metric: val.loss, trials: 60}",
    _search,
    {
        "type": ["object", "null"],
        "properties": {
            "metric": _NAMES,
            "goal": {"anyOf": [_GOAL, {"type": "array", "items": _GOAL, "minItems": 1}]},
            "trials": _COUNT,
            "sampler": {"type": ["string", "null"]},
            "try_first": {"anyOf": [_POINT, {"type": "array", "items": _POINT}, {"type": "null"}]},
            "warm_start": SCALARS,
            "prune": _PRUNE,
            "failed": {"enum": ["worst", "ignore", None]},
            "budget": {"type": ["string", "null"]},
            "target": {"type": ["number", "null"]},
        },
        "additionalProperties": False,
    },
)
