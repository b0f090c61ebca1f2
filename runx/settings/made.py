"""From what the settings say to an Experiment, decided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runx.errors import SettingsError
from runx.plans.experiment import Code, Experiment
from runx.settings.decode import decoded
from runx.settings.farm import LOCAL, farm_of, shell
from runx.settings.hparams import composed
from runx.settings.layers import Entry
from runx.settings.occasion import experiment_name, shared_texts
from runx.settings.shown import shown_settings
from runx.sweeps.cautions import cautions
from runx.sweeps.grid import Beside
from runx.sweeps.identity import Identity
from runx.sweeps.overrides import Override
from runx.sweeps.values import Scalar

if TYPE_CHECKING:
    from runx.settings import Request


def made(
    request: Request,
    entries: dict[str, Entry],
    farm: str | None,
    overrides: tuple[Override, ...],
    sources: tuple[Path, ...],
    warnings: tuple[str, ...],
) -> Experiment:
    """Make the experiment that a request's settings describe."""
    value = _values(request, entries)
    texts = shared_texts(entries, value, farm, request.occasion, request.environment)
    name = experiment_name(value.get("EXP_NAME") or request.file.stem, texts, entries, request.file)
    hparams, at = composed(entries, value, request.sweeps, overrides)
    return Experiment(
        name=name,
        file=request.file,
        logroot=value["LOGROOT"],
        cmd=value["CMD"],
        hparams=hparams,
        at=at,
        tag=request.tag,
        cooldir=request.cooldir,
        farm=None if request.here or farm == LOCAL else farm_of(farm, value, entries),
        resources=value["RESOURCES"],
        shell=shell(value),
        pythonpath=value.get("PYTHONPATH", ""),
        code=_code(value),
        dir_mode=value.get("DIR_MODE", ""),
        resume=value["RESUME"],
        identity=Identity(frozenset(value.get("IDENTITY_IGNORE", ())), value["IDENTITY_DEFAULTS"]),
        gpus=value.get("GPUS", ()),
        title=value.get("TITLE", ""),
        note=value.get("NOTE", ""),
        settings=shown_settings(entries, hparams, overrides),
        sources=sources,
        warnings=(*warnings, *cautions(hparams, at)),
        beside=Beside(value.get("SAMPLES", 0), value["SEED"], request.environment, name),
        style=value["ARGS"],
        has_config="CONFIG" in value,
        run_name=value.get("RUN_NAME", ""),
        texts={**texts, "experiment": name},
    )


def _values(request: Request, entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Read every setting; those that must be there are."""
    value = {
        name: decoded(name, entry, request.environment)
        for name, entry in entries.items()
        if entry.node != Scalar(None, "") or name == "HPARAMS"
    }
    for name in _needed(value):
        if value.get(name) in (None, "", Scalar(None, "")):
            raise SettingsError(f"{request.file}: {name} is missing; see docs/yaml.md")
    return value


def _needed(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the keys that must be there; hyperparameters may all come from elsewhere."""
    return ("CMD",) if "HPARAMS_FROM" in value or "CONFIG" in value else ("CMD", "HPARAMS")


def _code(value: Mapping[str, Any]) -> Code:
    return Code(
        root=value["CODE_ROOT"],
        source=value["CODE_FROM"],
        ignore=value["CODE_IGNORE_PATTERNS"],
        gitignore=value["CODE_GITIGNORE"],
        links=value.get("CODE_LINKS", ()),
        files=value["FILES"],
        max_size=value["CODE_MAX_SIZE"],
        staging=value["CODE_STAGING"],
        git_dirty=value["GIT_DIRTY"],
    )
