"""The types of farms that runx can submit to: a module each, and its entry here."""

from __future__ import annotations

from importlib import import_module

from runx.errors import SettingsError
from runx.farms.base import FarmType

FARMS = {
    "command": "runx.farms.command:FARM_TYPE",
    "slurm": "runx.farms.slurm:FARM_TYPE",
    "sge": "runx.farms.sge:FARM_TYPE",
    "pbs": "runx.farms.pbs:FARM_TYPE",
    "torque": "runx.farms.torque:FARM_TYPE",
    "lsf": "runx.farms.lsf:FARM_TYPE",
    "oar": "runx.farms.oar:FARM_TYPE",
    "moab": "runx.farms.moab:FARM_TYPE",
    "condor": "runx.farms.condor:FARM_TYPE",
    "kubernetes": "runx.farms.kubernetes:FARM_TYPE",
    "ray": "runx.farms.ray:FARM_TYPE",
    "ngc": "runx.farms.ngc:FARM_TYPE",
}
"""Each type of farm, and where its FarmType is; a module is imported when it is used."""


def farm_type_of(type: str) -> FarmType:
    """Return a FarmType: one of FARMS, of an entry point, or as ``module:name``.

    Raises SettingsError where there is none.

    >>> farm_type_of("slurm").arrays
    True
    """
    reference = FARMS.get(type) or (type if ":" in type else _entry_point(type))
    module, _, name = reference.partition(":")
    try:
        farm_type = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"TYPE {type}: {error}; it names a FarmType as module:name") from None
    if not isinstance(farm_type, FarmType):
        raise SettingsError(f"TYPE {type}: {name} is no runx.farms.base.FarmType")
    return farm_type


def _entry_point(type: str) -> str:
    from importlib.metadata import entry_points

    for point in entry_points(group="runx.farms", name=type):
        return point.value
    raise SettingsError(f"TYPE {type} is unknown; known are: {', '.join(FARMS)}")
