"""The farms that runx can submit to: one file each, and its entry here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from runx.errors import SettingsError
from runx.farms.errand import Errand
from runx.farms.kind import Kind

if TYPE_CHECKING:
    from typing import TypeGuard

    from runx.plans.experiment import Farm

FARMS = {
    "command": "runx.farms.command:KIND",
    "slurm": "runx.farms.slurm:KIND",
    "sge": "runx.farms.sge:KIND",
    "pbs": "runx.farms.pbs:KIND",
    "torque": "runx.farms.torque:KIND",
    "lsf": "runx.farms.lsf:KIND",
    "oar": "runx.farms.oar:KIND",
    "moab": "runx.farms.moab:KIND",
    "condor": "runx.farms.condor:KIND",
    "kubernetes": "runx.farms.kubernetes:KIND",
    "ray": "runx.farms.ray:KIND",
    "ngc": "runx.farms.ngc:KIND",
}
"""Each kind of farm, and where its Kind is; a module is imported when it is asked for."""


def kind_of(type: str) -> Kind:
    """Give what runx knows of a kind of farm: one of FARMS, or ``module:name`` of anybody's.

    >>> kind_of("slurm").arrays
    True
    """
    place = FARMS.get(type) or (type if ":" in type else _plugged_in(type))
    module, _, name = place.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"TYPE {type}: {error}; it names a Kind as module:name") from None
    if not isinstance(found, Kind):
        raise SettingsError(f"TYPE {type}: {name} is no runx.farms.kind.Kind")
    return found


def is_plain(farm: Farm | None) -> TypeGuard[Farm]:
    """Tell a farm that takes runs one by one, by its SUBMIT_CMD, from those with a scheduler."""
    return farm is not None and farm.type == "command"


def _plugged_in(type: str) -> str:
    from importlib.metadata import entry_points

    for point in entry_points(group="runx.farms", name=type):
        return point.value
    raise SettingsError(f"TYPE {type} is unknown; known are: {', '.join(FARMS)}")


__all__ = ["FARMS", "Errand", "Kind", "is_plain", "kind_of"]
