"""Early stopping played on learning curves: the work that is done, and what is lost by it."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, NamedTuple, Protocol

from benchmarks.search.functions import FUNCTIONS, Function, training
from benchmarks.search.loops import Searcher
from benchmarks.search.ours import OURS
from benchmarks.search.peers import Optuna
from runx.rundir.pruning import Asha, Median, Rule

EPOCHS = 27
KILLED = 0.1


class Curves(NamedTuple):
    """Learning curves: the error of a point after so many epochs."""

    name: str
    error: Callable[[Mapping[str, Any], int], float]


def _similar(point: Mapping[str, Any], epoch: int) -> float:
    """Return an error that falls for all points alike: who leads early leads late."""
    last = training(point)
    return last + (0.9 - last) * math.exp(-epoch / 5)


def _crossing(point: Mapping[str, Any], epoch: int) -> float:
    """Return an error that falls slowly where the learning rate is low, and then lower.

    Rates above the best begin fastest and stay above.
    """
    last = training(point)
    speed = 3 + 4 * max(0.0, min(1.0, -math.log10(point["lr"]) / 4))
    return last + (0.9 - last) * math.exp(-epoch / speed)


CURVES = (Curves("similar", _similar), Curves("crossing", _crossing))


class Stopper(Protocol):
    """What decides at each epoch of a trial whether it stops."""

    def stops(self, number: int, epoch: int, error: float) -> bool:
        """Return whether a trial with this error stops after this epoch."""
        ...


class Ours:
    """A rule of ours over the values that got to each rung."""

    def __init__(self, rule: Rule | None) -> None:
        self.rule, self.rungs = rule, dict[int, dict[int, float]]()

    def stops(self, number: int, epoch: int, error: float) -> bool:
        """Return whether a trial stops: it enters each rung once, however often it gets there."""
        if self.rule is None or not self.rule.is_rung(epoch):
            return False
        rung = self.rungs.setdefault(epoch, {})
        own = rung.setdefault(number, error)
        others = [value for other, value in rung.items() if other != number]
        return self.rule.verdict(epoch, own, others, "minimize").stops


class Work(NamedTuple):
    """What a search with early stopping did: its best error after each epoch of work."""

    best: list[float]

    @property
    def epochs(self) -> int:
        """The epochs that were trained, those of killed trials included."""
        return len(self.best)

    def until(self, error: float) -> int:
        """Return the epochs of work until an error was reached; all of them where it wasn't."""
        return next((place + 1 for place, each in enumerate(self.best) if each <= error), 10**9)


def worked(
    function: Function,
    curves: Curves,
    searcher: Searcher,
    stopper: Stopper,
    *,
    trials: int,
    width: int,
    seed: int,
    killed: float = 0.0,
    resumes: bool = True,
    fail: Callable[[int], None] = lambda number: None,
) -> Work:
    """Return how a search goes whose trials train ``EPOCHS`` epochs, ``width`` at a time.

    A share of them is ``killed`` once, at some epoch. What ``resumes`` goes on with the last
    epoch's checkpoint; what doesn't has failed.
    """
    source = random.Random(f"work:{seed}")
    ends = {n: source.randrange(1, EPOCHS + 1) for n in range(trials) if source.random() < killed}
    running: list[tuple[float, int, int]] = []
    points: dict[int, Mapping[str, Any]] = {}
    best, history, asked, clock = float("inf"), list[float](), 0, 0.0
    while running or asked < trials:
        while asked < trials and len(running) < width:
            points[asked] = searcher.ask(asked)
            heapq.heappush(running, (clock + source.uniform(0.9, 1.1), asked, 1))
            asked += 1
        clock, number, epoch = heapq.heappop(running)
        if ends.get(number) == epoch:
            del ends[number]
            history.append(best)
            if resumes:
                heapq.heappush(running, (clock + 1, number, epoch))
            else:
                fail(number)
            continue
        noise = 0.001 * random.Random(f"{seed}:{number}:{epoch}").gauss(0, 1)
        error = curves.error(points[number], epoch) + noise
        best = min(best, error)
        history.append(best)
        if epoch == EPOCHS or stopper.stops(number, epoch, error):
            searcher.tell(number, error if epoch == EPOCHS else _pruned(searcher, number, error))
        else:
            heapq.heappush(running, (clock + source.uniform(0.9, 1.1), number, epoch + 1))
    return Work(history)


def _pruned(searcher: Searcher, number: int, error: float) -> float:
    """Mark a trial as stopped early, for those that tell it apart; return its error."""
    getattr(searcher, "prune", lambda number: None)(number)
    return error


class Hyperband:
    """Optuna's TPE with its Hyperband, as searcher and as stopper."""

    def __init__(self, function: Function, seed: int, trials: int) -> None:
        import optuna

        self.peer = Optuna("TPESampler", function, seed, trials)
        self.peer.study.pruner = optuna.pruners.HyperbandPruner(1, EPOCHS, 3)
        self.asked: dict[int, Any] = {}
        self.pruned: set[int] = set()

    def ask(self, number: int) -> Mapping[str, Any]:
        """Return the point of a trial."""
        self.asked[number] = self.peer.study.ask(self.peer.ranges)
        return dict(self.asked[number].params)

    def stops(self, number: int, epoch: int, error: float) -> bool:
        """Return whether a trial stops."""
        self.asked[number].report(error, epoch)
        return bool(self.asked[number].should_prune())

    def prune(self, number: int) -> None:
        """Take in that a trial was stopped early."""
        self.pruned.add(number)

    def tell(self, number: int, loss: float) -> None:
        """Take in how a trial ended."""
        from optuna.trial import TrialState

        if number in self.pruned:
            self.peer.study.tell(self.asked[number], state=TrialState.PRUNED)
        else:
            self.peer.study.tell(self.asked[number], loss)

    def fail(self, number: int) -> None:
        """Take in that a trial was killed: Optuna goes on without it."""
        from optuna.trial import TrialState

        self.peer.study.tell(self.asked[number], state=TrialState.FAIL)


class RayAsha:
    """Ray Tune's ASHA as a stopper: its own class, which is given what trials report."""

    def __init__(self) -> None:
        from ray.tune.schedulers.async_hyperband import _Bracket

        self.bracket = _Bracket(1, EPOCHS, 3, 0)

    def stops(self, number: int, epoch: int, error: float) -> bool:
        """Return whether a trial stops."""
        verdict = self.bracket.on_result(_Named(str(number)), epoch, -error)
        return bool(verdict == "STOP")


class _Named(NamedTuple):
    trial_id: str


def rules_table(seeds: int, trials: int = 64) -> str:
    """Return what rules save and lose with points at random, as a Markdown table.

    Work is a share of what all trials would take to their end; the loss is that of the best error
    against the best of the same trials without a rule.
    """
    rules: Mapping[str, Rule] = {
        "ASHA 1, 3": Asha(1, 3),
        "ASHA 3, 3": Asha(3, 3),
        "median 5, 4": Median(5, 4),
    }
    lines = [
        "| curves | at a time | rule | work | loss, median | loss, worst |",
        "|---|---|---|---|---|---|",
    ]
    function = FUNCTIONS["training"]
    for curves in CURVES:
        for width in (1, 8, 32):
            for name, rule in rules.items():
                pairs = [
                    _pair(function, curves, rule, trials, width, seed) for seed in range(seeds)
                ]
                work = median(epochs for epochs, _ in pairs) / (trials * EPOCHS)
                losses = [loss for _, loss in pairs]
                cells = [f"{work:.2f}", f"{median(losses):.4f}", f"{max(losses):.4f}"]
                lines.append(f"| {curves.name} | {width} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _pair(
    function: Function, curves: Curves, rule: Rule, trials: int, width: int, seed: int
) -> tuple[int, float]:
    """Return the epochs with a rule, and by how much the best is worse than without."""
    ends = []
    for each in (rule, None):
        searcher = OURS["random"](function, seed, trials)
        done = worked(function, curves, searcher, Ours(each), trials=trials, width=width, seed=seed)
        ends.append(done)
    with_rule, without = ends
    return with_rule.epochs, with_rule.best[-1] - without.best[-1]


def hours_table(seeds: int, trials: int = 60, width: int = 8) -> str:
    """Return the epochs of work until 99% of what a full search reaches, as a Markdown table.

    The full search is Optuna's TPE without early stopping. One trial in ten is killed: ours and
    Ray's go on from a checkpoint, Optuna's have failed. What never got there counts as endless.
    """
    lines = [
        "| curves | search | epochs until 99%, median | share of the full search's |",
        "|---|---|---|---|",
    ]
    function = FUNCTIONS["training"]
    for curves in CURVES:
        rows: dict[str, list[int]] = {}
        for seed in range(seeds):
            full = TOOLS["Optuna TPE, no stopping"](function, curves, trials, width, seed, 0.0)
            target = 1 - 0.99 * (1 - full.best[-1])
            for name, tool in TOOLS.items():
                done = (
                    full if tool is _full else tool(function, curves, trials, width, seed, KILLED)
                )
                rows.setdefault(name, []).append(done.until(target))
        whole = median(rows["Optuna TPE, no stopping"])
        for name, epochs in rows.items():
            middle = median(epochs)
            lines.append(f"| {curves.name} | {name} | {middle:.0f} | {middle / whole:.2f} |")
    return "\n".join(lines)


def _full(
    function: Function, curves: Curves, trials: int, width: int, seed: int, killed: float
) -> Work:
    searcher = Optuna("TPESampler", function, seed, trials)
    return worked(function, curves, searcher, Ours(None), trials=trials, width=width, seed=seed)


def _hyperband(
    function: Function, curves: Curves, trials: int, width: int, seed: int, killed: float
) -> Work:
    both = Hyperband(function, seed, trials)
    return worked(
        function, curves, both, both, trials=trials, width=width, seed=seed, killed=killed,
        resumes=False, fail=both.fail,
    )  # fmt: skip


def _ray(
    function: Function, curves: Curves, trials: int, width: int, seed: int, killed: float
) -> Work:
    searcher = OURS["random"](function, seed, trials)
    return worked(
        function, curves, searcher, RayAsha(), trials=trials, width=width, seed=seed, killed=killed
    )


def _ours(sampler: str, rule: Rule) -> Callable[..., Work]:
    def work(
        function: Function, curves: Curves, trials: int, width: int, seed: int, killed: float
    ) -> Work:
        return worked(
            function, curves, OURS[sampler](function, seed, trials), Ours(rule), trials=trials,
            width=width, seed=seed, killed=killed,
        )  # fmt: skip

    return work


TOOLS: Mapping[str, Callable[..., Work]] = {
    "Optuna TPE, no stopping": _full,
    "Optuna TPE and Hyperband": _hyperband,
    "Ray's ASHA, random points": _ray,
    "**gp and ASHA 3, 3**": _ours("gp", Asha(3, 3)),
    "**tpe and ASHA 3, 3**": _ours("tpe", Asha(3, 3)),
    "**gp and median 5, 4**": _ours("gp", Median(5, 4)),
}
"""The searches that are compared, by their names."""
