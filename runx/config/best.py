"""The best points of earlier runs, in the place of what HPARAMS leaves open (``--best``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from runx.errors import SweepError
from runx.sweeps.axes import CASES, GROUPS
from runx.sweeps.grid import holds_template
from runx.sweeps.identity import is_same
from runx.sweeps.merge import keys, several_cases
from runx.sweeps.searched import is_repeated, node_of_value
from runx.sweeps.values import Node, Scalar, Value


class BestPoint(NamedTuple):
    """A point of earlier runs: its values without seeds, the mean of the metric, and its runs."""

    values: Mapping[str, Value]
    mean: float
    runs: tuple[str, ...]


class Best(NamedTuple):
    """The best points, the very best first, of ``tried`` ones of the runs that ``of`` names.

    ``varying`` are the names in which those differ.
    """

    of: tuple[str, ...]
    metric: str
    goal: str
    tried: int
    varying: tuple[str, ...]
    points: tuple[BestPoint, ...]

    def line(self) -> str:
        """Return how they were chosen, for people.

        >>> point = BestPoint({"lr": 0.1}, 0.9312, ("owl",))
        >>> Best(("search",), "acc", "maximize", 60, ("lr",), (point,)).line()
        'the best of 60 points of search, by acc: 0.9312'
        """
        many = "the best" if len(self.points) == 1 else f"the best {len(self.points)}"
        means = ", ".join(f"{point.mean:.6g}" for point in self.points)
        return f"{many} of {self.tried} points of {', '.join(self.of)}, by {self.metric}: {means}"

    def place(self, hparams: Mapping[str, Any]) -> int | None:
        """Return which of the points, from 1 on, a run with these values has; None for none."""
        for number, point in enumerate(self.points, 1):
            if all(
                is_same(hparams[name], value)
                for name, value in point.values.items()
                if name in self.varying and name in hparams
            ):
                return number
        return None

    def chosen(self, hparams: Mapping[str, Any]) -> dict[str, Any]:
        """Return what run.json says of how a run's point was chosen."""
        place = self.place(hparams)
        if place is None:
            return {}
        point = self.points[place - 1]
        how = {"of": self.of, "points": self.tried, "metric": self.metric, "goal": self.goal}
        return {"chosen": {"place": place, "mean": point.mean, **how, "runs": point.runs}}

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**self._asdict(), "points": [point._asdict() for point in self.points]}


def with_best(hparams: Node, best: Best, overridden: Collection[str]) -> Node:
    """Return HPARAMS with the best points as its cases.

    They take the place of what they differ in and of what isn't one value there. What is repeated,
    computed or ``overridden`` stays.

    >>> point = BestPoint({"lr": 0.1, "epochs": 9}, 0.9, ("owl",))
    >>> best = Best(("search",), "acc", "maximize", 60, ("lr",), (point,))
    >>> one = Scalar(1, "1")
    >>> with_best({"lr": [one, one], "epochs": one}, best, ())["RUNX.CASES"]
    [{'lr': Scalar(value=0.1, text='0.1', plain=True)}]
    """
    if not isinstance(hparams, dict):
        raise SweepError("--best takes HPARAMS that is one mapping, not a list of them")
    named = {name for point in best.points for name in point.values}
    taken = {name for name in named if name not in overridden and _is_open(hparams, name, best)}
    rest: dict[str, Node] = {}
    for key, node in hparams.items():
        if key in GROUPS:
            parts = several_cases(node) if key == CASES else [node]
            left = [part for part in parts if not taken & set(keys({key: part}))]
            taken |= {name for part in parts if part not in left for name in keys({key: part})}
            if left:
                rest[key] = left if key == CASES else node
        elif key not in taken:
            rest[key] = node
    cases: list[Node] = [dict(_case(point, taken)) for point in best.points]
    own = rest.get(CASES)
    return {**rest, CASES: [*own, cases] if isinstance(own, list) else cases}


def _case(point: BestPoint, taken: Collection[str]) -> Iterator[tuple[str, Node]]:
    for name, value in point.values.items():
        if name in taken and value is not None:
            yield name, node_of_value(value)


def _is_open(hparams: Mapping[str, Node], name: str, best: Best) -> bool:
    """Return whether a hyperparameter is a point's to say: HPARAMS has no single value of it.

    One in which the points vary is theirs although it has.
    """
    node = hparams.get(name)
    if isinstance(node, dict):
        return not is_repeated(node)
    if isinstance(node, Scalar) and holds_template(node.value):
        return False
    return node is None or name in best.varying or (isinstance(node, list) and len(node) > 1)
