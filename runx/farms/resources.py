"""RESOURCES of a run: the portable keys, which mean the same on every farm, and their units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from runx.errors import SettingsError
from runx.sweeps import scalars
from runx.sweeps.values import Hparam

PORTABLE = (
    "gpus",
    "gpu_mem",
    "cpus",
    "mem",
    "time",
    "nodes",
    "partition",
    "account",
    "qos",
    "constraint",
    "image",
)
"""The keys of RESOURCES that every farm but ``command`` and ``ngc`` translates."""
ALIASES = {"gpu": "gpus", "cpu": "cpus"}
"""Other names of portable keys."""
_MIB = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(?:([KMGT])(i?)B?)?", re.ASCII | re.IGNORECASE)


class Limit(NamedTuple):
    """How much of a resource all runs may have on a host, by LIMITS: units, or MiB if ``is_size``.

    ``origin`` is where that stands.
    """

    most: int
    is_size: bool = False
    origin: str = ""


class Licence(NamedTuple):
    """What a run needs of a resource that LIMITS names: units, or MiB if ``is_size``."""

    name: str
    amount: int
    is_size: bool = False


class Needs(NamedTuple):
    """What one run needs: ``gpus``, ``cpus`` and ``mem`` (MiB) of each node, ``time`` (seconds).

    ``gpu_mem`` is the memory of each GPU, in MiB. ``licences`` are those resources besides that
    LIMITS names, ``rest`` those that only the farm
    understands.
    """

    gpus: int | None = None
    gpu_kind: str = ""
    cpus: int | None = None
    mem: int | None = None
    time: int | None = None
    nodes: int | None = None
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    image: str = ""
    rest: tuple[Hparam, ...] = ()
    licences: tuple[Licence, ...] = ()
    gpu_mem: int | None = None


def needs(resources: Iterable[Hparam], limits: Mapping[str, Limit] = {}) -> Needs:
    """Return RESOURCES with the portable keys, and those of LIMITS, in their units.

    Raises SettingsError for a value that makes no sense, or a key that is nearly a portable one.

    >>> needs([Hparam("gpu", 2, "2"), Hparam("mem", "40G", "40G"), Hparam("time", "2h", "2h")])[:5]
    (2, '', None, 40960, 7200)
    """
    values: dict[str, object] = {}
    licences, rest = [], []
    for resource in resources:
        name = portable_name(resource.name)
        if resource.value is None and resource.text in (None, "", "null", "~"):
            continue
        if name in PORTABLE:
            values.update(_portable(name, resource))
        elif resource.name in limits:
            licences.append(_licence(resource, limits[resource.name]))
        else:
            check_spelling(resource.name)
            rest.append(resource)
    if values.get("gpus") == 0:
        values.pop("gpu_mem", None)  # that of none
    named = tuple(licence for licence in licences if licence.amount)
    return Needs(**values, rest=tuple(rest), licences=named)  # type: ignore[arg-type]


def portable_name(name: str) -> str:
    """Return the portable key that a name stands for, another name as it is.

    >>> portable_name("GPU"), portable_name("Matlab")
    ('gpus', 'Matlab')
    """
    key = ALIASES.get(name.lower(), name.lower())
    return key if key in PORTABLE else name


def _portable(name: str, resource: Hparam) -> dict[str, object]:
    text = resource.text
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(f"RESOURCES: {resource.name} must be one value, as {_EXAMPLES[name]}")
    text = text.strip()
    if name == "gpus":
        kind, _, count = text.rpartition(":")
        return {"gpus": _count(name, count), "gpu_kind": kind}
    if name in ("cpus", "nodes"):
        return {name: _count(name, text)}
    if name == "mem":
        return {name: mebibytes(text)}
    if name == "gpu_mem":
        return {name: _gpu_mebibytes(text)}
    return {name: seconds(text) if name == "time" else text}


def _licence(resource: Hparam, limit: Limit) -> Licence:
    """Return what a run needs of a resource, in the unit of its limit."""
    name, text = resource.name, resource.text
    if not isinstance(text, str):
        raise SettingsError(f"RESOURCES: {name} must be one value, since LIMITS counts it")
    found = limit_of(name, text)
    if found.most and found.is_size != limit.is_size:
        example = "a size, as 40G" if limit.is_size else "a whole number"
        raise SettingsError(
            f"RESOURCES: {name} must be {example}, as LIMITS has it ({limit.origin}), not {text!r}"
        )
    return Licence(name, found.most, found.is_size)


def limit_of(name: str, text: str, origin: str = "", key: str = "RESOURCES") -> Limit:
    """Return the limit that a text of LIMITS sets, or how much of it RESOURCES ask for.

    >>> limit_of("licences", "2"), limit_of("scratch", "1T").most, limit_of("mem", "64").most
    (Limit(most=2, is_size=False, origin=''), 1048576, 65536)
    """
    text = text.strip()
    if name == "mem" or (name not in PORTABLE and re.fullmatch(r".*[KMGT](i?B)?", text, re.I)):
        return Limit(mebibytes(text, f"{key}: {name}"), True, origin)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        sized = "" if name in PORTABLE else ", or a size, as 40G"
        raise SettingsError(f"{key}: {name} must be a whole number{sized}, not {text!r}")
    return Limit(int(text), False, origin)


_EXAMPLES = {
    "gpus": "2",
    "gpu_mem": "40G",
    "cpus": "8",
    "mem": "40G",
    "time": "2h",
    "nodes": "1",
    "partition": "gpu",
    "account": "vision",
    "qos": "long",
    "constraint": "a100",
    "image": "pytorch.sif",
}


def _count(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or (int(text) == 0 and name != "gpus"):
        raise SettingsError(f"RESOURCES: {name} must be a whole number, not {text!r}")
    return int(text)


def mebibytes(text: str, name: str = "RESOURCES: mem") -> int:
    """Return a size of memory in MiB: a bare number is GB, and units are schedulers', of 1024.

    0 stands for a whole node's.

    >>> mebibytes("40G"), mebibytes("1.5 GiB"), mebibytes("512M"), mebibytes("64"), mebibytes("0")
    (40960, 1536, 512, 65536, 0)
    """
    match = _SIZE.fullmatch(text)
    if match is None or match[0][-1] in "iI":
        raise SettingsError(f"{name} must be a size, as 40G or 512M, not {text!r}")
    return math.ceil(float(match[1]) * _MIB[(match[2] or "G").upper()])


def _gpu_mebibytes(text: str) -> int:
    """Return the memory of a GPU in MiB: units are of 1000, as GPUs are sold, and GiB of 1024.

    >>> _gpu_mebibytes("80G"), _gpu_mebibytes("80GiB"), _gpu_mebibytes("24")
    (76294, 81920, 22888)
    """
    match = _SIZE.fullmatch(text)
    if match is None or not float(match[1]):
        raise SettingsError(f"RESOURCES: gpu_mem must be a size, as 40G or 24GiB, not {text!r}")
    unit, base = (match[2] or "G").upper(), 1024 if match[3] else 1000
    return round(float(match[1]) * math.pow(base, "KMGT".index(unit) + 1) / 1024**2)


def seconds(text: str) -> int:
    """Return a span of time, which must have a unit, in seconds.

    >>> seconds("2h"), seconds("90m"), seconds("1d12h"), seconds("1-12:00:00"), seconds("1-12")
    (7200, 5400, 129600, 129600, 129600)
    """
    days = re.fullmatch(r"(\d{1,6})-(\d{1,6})(?::(\d\d))?", text, re.ASCII)
    if days:
        hours, minutes = int(days[1]) * 24 + int(days[2]), int(days[3] or 0)
        return _positive((hours * 60 + minutes) * 60, text)
    length = scalars.seconds(text)
    if length is None or re.fullmatch(r"[\d.]+", text):
        more = ", with a unit" if re.fullmatch(r"[\d.:]+", text) else ""
        raise SettingsError(f"RESOURCES: time must be as 2h, 90m or 1-12:00:00{more}, not {text!r}")
    return _positive(math.ceil(length), text)


def _positive(span: int, text: str) -> int:
    if not span:
        raise SettingsError(f"RESOURCES: time {text} is no time at all")
    return span


def clock(span: int) -> str:
    """Return a span of seconds as every scheduler reads it, in hours, minutes and seconds.

    >>> clock(129600), clock(61)
    ('36:00:00', '00:01:01')
    """
    return f"{span // 3600:02}:{span // 60 % 60:02}:{span % 60:02}"


def check_spelling(name: str, key: str = "RESOURCES") -> None:
    """Raise SettingsError for what is nearly a portable key: it would be taken for another."""
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), PORTABLE, n=1, cutoff=0.85)
    if close:
        raise SettingsError(f"{key}: unknown key {name}; did you mean {close[0]}?")
