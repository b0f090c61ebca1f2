"""Where a farm's jobs go: asked of this machine, written into their addresses, and compared."""

from __future__ import annotations

from runx.errors import FarmError, RunxError
from runx.farms.base import Farm
from runx.farms.commands import call
from runx.farms.registry import farm_type_of


def located(farm: Farm) -> Farm:
    """Return a farm with the place that its jobs go to from here among its options.

    Raises FarmError where they can't go there.
    """
    place = farm_type_of(farm.type).located
    if place is None:
        return farm
    command = place.command(farm)
    if not command:
        return farm
    try:
        finished = call(command)
        return farm._replace(options={**farm.options, **place.read(finished, farm)})
    except FarmError:
        raise
    except RunxError:
        return farm  # Whoever submits or asks with that program says that it is missing.
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FarmError(f"farm {farm.name}: where its jobs go can't be read: {error!r}") from error


def check_place(farm: Farm) -> None:
    """Raise FarmError where the place of a job's address has become another one under its name."""
    for name, now in located(farm).options.items():
        if (then := farm.options.get(name, now)) != now:
            raise FarmError(
                f"its jobs are at {then}, and here its {name} is {now}; call this where they were"
                " submitted, or with the configuration of then"
            )
