"""What a page shows of all its runs together: importances, ablations and groups. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runx.analysis.ablation import changes
from runx.analysis.cells import for_machines
from runx.analysis.columns import Column, names_of, value, varying
from runx.analysis.groups import groups
from runx.analysis.importance import effects
from runx.analysis.question import Question
from runx.analysis.table import rank
from runx.rundir.run import RunRecord


def statistics(
    records: Sequence[RunRecord],
    keys: Sequence[str],
    bests: Sequence[Mapping[str, float]],
    question: Question,
) -> dict[str, Any]:
    """Return what is computed of runs, given the key and the best values of each."""
    names = varying(records, question.ignore)
    return {
        "hparams": names_of(record.hparams for record in records),
        "varying": names,
        "importances": importances(records, bests, question),
        "ablations": ablations(records, bests),
        "groupings": {"keys": [*keys], "choices": groupings(records, names)},
    }


def importances(
    records: Sequence[RunRecord], bests: Sequence[Mapping[str, float]], question: Question
) -> dict[str, list[dict[str, Any]]]:
    """Return for each metric what each hyperparameter explains of its best value, the most first.

    ``explained`` is a part of the variance, ``runs`` the number of runs that it is computed from.
    """
    runs = [
        record._replace(measured=best) for record, best in zip(records, bests, strict=True) if best
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


def ablations(
    records: Sequence[RunRecord], bests: Sequence[Mapping[str, float]]
) -> dict[str, list[dict[str, Any]]]:
    """Return for each metric what each change of RUNX.ABLATE does to its best value."""
    runs = [record._replace(measured=best) for record, best in zip(records, bests, strict=True)]
    return {
        name: [
            {
                "change": change.text,
                "mean": change.mean,
                "difference": change.difference,
                "deviation": change.deviation,
                "p": change.p,
                "n": len(change.values),
                "missing": change.lacks,
            }
            for change in changes(runs, Column(name, "measured", name))
        ]
        for name in names_of(bests)
        if any(record.ablation for record in records)
    }


def groupings(records: Sequence[RunRecord], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the ways to group runs: by each hyperparameter that varies, by all but each seed.

    ``of`` has for each run the place of its group in their order. The groups of one hyperparameter
    have ``labels``; those of several are labelled by those of the hyperparameters in ``by``.
    """
    seeds = [name for name in names if "seed" in name.lower()] if len(names) > 1 else []
    return [
        *({**_by_hparam(records, name), "id": f"h:{name}", "heading": name} for name in names),
        *(
            {**_by_all_but(records, names, seed), "id": f"*h:{seed}", "heading": f"all but {seed}"}
            for seed in seeds
        ),
    ]


def _by_hparam(records: Sequence[RunRecord], name: str) -> dict[str, Any]:
    members, places = _grouped(records, [name])
    return {"labels": _labels([group[0].hparams.get(name) for group in members]), "of": places}


def _by_all_but(records: Sequence[RunRecord], names: Sequence[str], seed: str) -> dict[str, Any]:
    others = [name for name in names if name != seed]
    return {"by": others, "of": _grouped(records, others)[1]}


def _grouped(
    records: Sequence[RunRecord], names: Sequence[str]
) -> tuple[list[list[RunRecord]], list[int]]:
    """Return groups of runs in their order, and the place of each run's group."""
    by = [Column(name, "hparam", name) for name in names]
    members = sorted(
        groups(records, by),
        key=lambda group: tuple(rank(value(group[0], column), lower=True) for column in by),
    )
    places = {id(run): nth for nth, group in enumerate(members) for run in group}
    return members, [places[id(run)] for run in records]


def _labels(values: Sequence[Any]) -> list[str]:
    """Return labels for values; text is in quotes where it reads like the number of another."""
    labels = [_label(value, for_machines) for value in values]
    return labels if len({*labels}) == len(labels) else [_label(value, repr) for value in values]


def _label(value: Any, write: Callable[[Any], str]) -> str:
    return "none" if value is None else write(value)
