"""STEPS to Steps: what each executes, for whom, after what and where, checked with its line."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runx.config.alternatives import SOONEST
from runx.config.experiment import LOCAL, farm_of
from runx.config.farms import farms_of
from runx.config.farms import unknown as unknown_farm
from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.config.layers import Layer, merged
from runx.config.request import Request
from runx.config.step_reader import AskedFarm, FarmSettings, StepFarms, StepReader
from runx.errors import SettingsError
from runx.rundir.steps import Step
from runx.sweeps.values import Scalar

if TYPE_CHECKING:
    from runx.farms.base import Farm


def with_functions(layers: list[Layer], executes: bool) -> tuple[list[Layer], dict[str, str]]:
    """Return the layers with what functions of the project give as STEPS, and these functions.

    Unless it ``executes`` them, what they would give is left out.
    """
    from runx.config.hparams import python_steps

    called: dict[str, str] = {}

    def given(layer: Layer) -> Layer:
        entry = layer.entries.get("STEPS")
        if entry is None or not isinstance(entry.node, Scalar) or entry.node.value is None:
            return layer
        if not executes:
            return layer
        node = python_steps(entry.text, entry.base, f"{entry.origin}: STEPS")
        called[entry.text] = "STEPS"
        place = f"{entry.origin}: {entry.text}"
        entries = {**layer.entries, "STEPS": entry._replace(node=node, at=lambda *_: place)}
        return layer._replace(entries=entries)

    return [given(layer) for layer in layers], called


def read_steps(
    request: Request,
    layers: list[Layer],
    entries: Mapping[str, Entry],
    values: dict[str, Any],
    places: tuple[str, ...],
) -> tuple[tuple[Step, ...], dict[str, Farm]]:
    """Return STEPS, and the farms that some of them name; set CMD to that which identifies runs.

    Raises:
        SettingsError: STEPS is malformed, or there is a CMD or LAUNCH beside it.
    """
    for name, advice in (("CMD", "make it a step"), ("LAUNCH", "say it in a step")):
        if values[name]:
            raise SettingsError(f"{entries[name].origin}: {name}: there is STEPS, too; {advice}")
    if not isinstance(values["STEPS"], dict):
        return (), {}  # a function that isn't asked
    cwd, environment, here = request.cwd, request.environment, request.here
    outer = [layer for layer in layers if layer.files and request.file not in layer.files]

    @functools.cache
    def settings_of(name: str) -> FarmSettings:
        is_here = here or name in ("", LOCAL)
        own = merged(layers, name, is_here)
        wanted = {
            key: each.value(key, own.get(key), cwd, environment) for key, each in KEYS.items()
        }
        return FarmSettings(own, wanted, merged(outer, name, is_here).get("RESOURCES"))

    def asked(names: tuple[str, ...]) -> AskedFarm:
        found = farms_of(names, layers)
        return AskedFarm(found, found != names and names == (SOONEST,))

    usual = ("",) if here or places == (LOCAL,) else places
    unknown = functools.partial(unknown_farm, layers=layers)
    farms = StepFarms(usual, here, request.together, asked, unknown)
    steps = StepReader(entries["STEPS"], settings_of, environment, farms).steps()
    values["CMD"] = own_cmd(steps)
    named = {name for step in steps for name in (step.farm, *step.choices)}
    names = sorted(named - {"", LOCAL})
    found = {}
    for name in names:
        at_farm = settings_of(name)
        found[name] = farm_of(name, at_farm.values, {"FARM": entries["STEPS"], **at_farm.entries})
    return steps, found


def own_cmd(steps: Sequence[Step]) -> str:
    """Return the CMD that identifies a run: those of its first steps, a line each.

    These are the steps PER: run that are after none of the run's own.
    """
    own = {step.name for step in steps if step.per.is_run}
    behind: set[str] = set()
    for step in steps:
        if any(name in own or name in behind for name in step.after):
            behind.add(step.name)
    first = [step for step in steps if step.name in own - behind]
    return "\n".join(step.cmd.strip() for step in first)
