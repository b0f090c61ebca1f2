"""What a page shows of all its runs together: what matters, and groups. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, names_of, value, varying
from runx.analysis.groups import groups
from runx.analysis.importance import effects
from runx.analysis.question import Question
from runx.analysis.table import rank
from runx.rundir.run import RunRecord


def statistics(
    results: Sequence[RunRecord],
    keys: Sequence[str],
    bests: Sequence[Mapping[str, float]],
    question: Question,
) -> dict[str, Any]:
    """Return what is computed of runs, with the key and the best values of each."""
    names = varying(results, question.ignore)
    return {
        "hparams": names_of(result.hparams for result in results),
        "varying": names,
        "importances": importances(results, bests, question),
        "groupings": {"keys": [*keys], "choices": groupings(results, names)},
    }


def importances(
    results: Sequence[RunRecord], bests: Sequence[Mapping[str, float]], question: Question
) -> dict[str, list[dict[str, Any]]]:
    """Return for each metric what its hyperparameters explain of its best value, most first."""
    runs = [
        result._replace(measured=best) for result, best in zip(results, bests, strict=True) if best
    ]
    return {
        name: [
            {
                "name": effect.name,
                "explained": round(effect.explained, 4),
                "trend": round(effect.trend, 4),
                "runs": sum(count for _, _, count in effect.means),
            }
            for effect in effects(runs, Column(name, "measured", name), question)
        ]
        for name in names_of(bests)
    }


def groupings(results: Sequence[RunRecord], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the ways to group runs: by each hyperparameter that varies, by all but each seed.

    ``of`` has for each run the place of its group in their order. The groups of one hyperparameter
    have labels; those of several are named by these.
    """
    seeds = [name for name in names if "seed" in name.lower()] if len(names) > 1 else []
    return [
        *({**_by_one(results, name), "id": f"h:{name}", "heading": name} for name in names),
        *(
            {**_without(results, names, seed), "id": f"*h:{seed}", "heading": f"all but {seed}"}
            for seed in seeds
        ),
    ]


def _by_one(results: Sequence[RunRecord], name: str) -> dict[str, Any]:
    members, places = _placed(results, [name])
    return {"labels": _labels([group[0].hparams.get(name) for group in members]), "of": places}


def _without(results: Sequence[RunRecord], names: Sequence[str], seed: str) -> dict[str, Any]:
    others = [name for name in names if name != seed]
    return {"by": others, "of": _placed(results, others)[1]}


def _placed(
    results: Sequence[RunRecord], names: Sequence[str]
) -> tuple[list[list[RunRecord]], list[int]]:
    """Return groups of runs in their order, and the place of each run's group."""
    by = [Column(name, "hparam", name) for name in names]
    members = sorted(
        groups(results, by),
        key=lambda group: tuple(rank(value(group[0], column), lower=True) for column in by),
    )
    places = {id(run): nth for nth, group in enumerate(members) for run in group}
    return members, [places[id(run)] for run in results]


def _labels(values: Sequence[Any]) -> list[str]:
    """Write the values of groups; text is in quotes where it looks like another's number."""
    labels = [_label(found, for_machines) for found in values]
    return labels if len({*labels}) == len(labels) else [_label(found, repr) for found in values]


def _label(found: Any, write: Callable[[Any], str]) -> str:
    return "none" if found is None else write(found)
