"""FARM: the farms that runs may go to, by the sections that describe them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from runx.config.alternatives import AUTO, SOONEST
from runx.config.experiment import LOCAL, presets
from runx.config.keys import KEYS
from runx.config.layers import Layer, merged
from runx.errors import SettingsError
from runx.nearest import suggestion


class AskedFarms(NamedTuple):
    """The farms that runs may go to, "" where nothing sets FARM; whether one is to be chosen."""

    names: tuple[str, ...] = ("",)
    is_choice: bool = False
    soonest: bool = False


def asked_farms(layers: Sequence[Layer], environment: Mapping[str, str], here: bool) -> AskedFarms:
    """Return the farms that runs go to: those described, or types that need no section.

    It is "" where nothing sets FARM, or for runs ``here`` a file sets one that is elsewhere.
    """
    entry = merged(layers, "").get("FARM")
    asked = KEYS["FARM"].kind.decode("FARM", entry, environment) if entry else ()
    if entry is None or not asked:
        return AskedFarms()
    is_typed = entry.origin == "--farm" or entry.origin.endswith(" on the command line")
    names = farms_of(asked, layers)
    if not names and not here:
        raise SettingsError(
            f"{entry.origin}: FARM: {asked[0]}: no section of a farm has a CAPACITY; write it, as"
            " {gpus: 8, gpu_mem: 80G, cpus: 64, mem: 500G, time: 3d}"
        )
    for name in names:
        if problem := unknown(name, layers):
            if here and not is_typed:
                return AskedFarms()
            raise SettingsError(f"{entry.origin}: {problem}")
    is_choice = names != asked or len(asked) > 1
    return AskedFarms(names or ("",), is_choice, names != asked and asked == (SOONEST,))


def unknown(name: str, layers: Iterable[Layer]) -> str:
    """Return why there is no farm of a name, "" where a section describes it or it needs none."""
    described = _described(layers)
    if name in (LOCAL, *described) or name in presets():
        return ""
    advice = "no farm is described; see docs/runx-file.md"
    return (
        f"no section describes farm {name}; {suggestion(name, described) if described else advice}"
    )


def _described(layers: Iterable[Layer]) -> list[str]:
    return list(dict.fromkeys(name for layer in layers for name in layer.farms))


def farms_of(asked: tuple[str, ...], layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the farms that FARM names: for auto and soonest all that say their CAPACITY."""
    described = _described(layers)
    if asked not in ((AUTO,), (SOONEST,)) or asked[0] in described:
        return asked
    with_capacity = {
        name for layer in layers for name, section in layer.farms.items() if "CAPACITY" in section
    }
    return tuple(name for name in described if name in with_capacity)
