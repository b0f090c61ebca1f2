"""Samplers of other libraries, asked and told as ours are: Optuna's, and SMAC3's two facades."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.search.functions import Function
from benchmarks.search.loops import Searcher


class Optuna:
    """A sampler of Optuna in a study in memory."""

    def __init__(self, sampler: str, function: Function, seed: int, trials: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        known = {"seed": seed} if sampler != "QMCSampler" else {"seed": seed, "scramble": True}
        self.study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(**known))
        of = optuna.distributions
        kinds: Mapping[str, Callable[..., Any]] = {
            "uniform": of.FloatDistribution,
            "loguniform": lambda low, high: of.FloatDistribution(low, high, log=True),
            "randint": of.IntDistribution,
            "lograndint": lambda low, high: of.IntDistribution(low, high, log=True),
            "choice": lambda *options: of.CategoricalDistribution(options),
        }
        self.ranges = {
            name: kinds[kind](*ends)
            for name, operated in function.hparams.items()
            for kind, ends in operated.items()
        }

    def ask(self, number: int) -> Mapping[str, Any]:
        """Return the point of a trial."""
        return self.study.ask(self.ranges).params

    def tell(self, number: int, loss: float) -> None:
        """Take in what a trial measured."""
        self.study.tell(number, loss)


class Smac:
    """A facade of SMAC3: random forests, or a Gaussian process ("blackbox")."""

    def __init__(self, facade: str, function: Function, seed: int, trials: int) -> None:
        import tempfile

        import smac
        from ConfigSpace import ConfigurationSpace

        logging.disable(logging.WARNING)
        space = ConfigurationSpace(seed=seed)
        space.add([*map(_range_of_smac, function.hparams, function.hparams.values())])
        scenario = smac.Scenario(
            space,
            deterministic=True,
            n_trials=trials,
            seed=seed,
            output_directory=tempfile.mkdtemp(),
        )
        kind = getattr(smac, facade)
        self.facade = kind(scenario, lambda config, seed=0: 0.0, overwrite=True)
        self.asked: dict[int, Any] = {}

    def ask(self, number: int) -> Mapping[str, Any]:
        """Return the point of a trial."""
        self.asked[number] = self.facade.ask()
        return dict(self.asked[number].config)

    def tell(self, number: int, loss: float) -> None:
        """Take in what a trial measured."""
        from smac.runhistory.dataclasses import TrialValue

        self.facade.tell(self.asked.pop(number), TrialValue(cost=loss))


def _range_of_smac(name: str, operated: Mapping[str, list[Any]]) -> Any:
    import ConfigSpace as of

    [(kind, ends)] = operated.items()
    if kind == "choice":
        return of.Categorical(name, ends)
    make = of.Integer if kind.endswith("randint") else of.Float
    return make(name, bounds=(ends[0], ends[1]), log=kind.startswith("log"))


PEERS: Mapping[str, Callable[[Function, int, int], Searcher]] = {
    "Optuna TPE": lambda *given: Optuna("TPESampler", *given),
    "Optuna GP": lambda *given: Optuna("GPSampler", *given),
    "SMAC3 GP": lambda *given: Smac("BlackBoxFacade", *given),
    "SMAC3 forest": lambda *given: Smac("HyperparameterOptimizationFacade", *given),
}
