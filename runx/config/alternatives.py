"""RESOURCES with alternatives, as a list or in Experimaestro's text; and CAPACITY of a farm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from runx.config.kinds import SCALARS, Entry, Environment, Kind, Schema
from runx.errors import SettingsError
from runx.nearest import suggestion
from runx.sweeps.values import Hparam, Node, Scalar, Value

if TYPE_CHECKING:
    from runx.farms.resources import Needs


AUTO, SOONEST = "auto", "soonest"
"""The CAPACITY that is measured, and the FARM that is chosen: the first that fits, the soonest."""
EXAMPLE = "duration=3h & cuda(mem=4G)*1 & cpu(cores=2)"

_SHOWN = 60
"""Letters of a text that an error shows."""
_COMPUTED = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_DURATION = re.compile(r"duration\s*=\s*(.+)", re.DOTALL)
_DEVICE = re.compile(r"(cuda|cpu)(?:\s*\((.*)\))?(?:\s*\*\s*(.+))?", re.DOTALL)
_ARGUMENT = re.compile(r"(\w+)\s*=\s*(.+)", re.DOTALL)
_NAMES = {("cuda", "mem"): "gpu_mem", ("cpu", "mem"): "mem", ("cpu", "cores"): "cpus"}
_DAYS = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|m|s)[a-z]*", re.ASCII | re.IGNORECASE)


def alternatives(node: Node, where: str) -> Node:
    """Return RESOURCES as a mapping, or as a list of mappings where there are alternatives.

    >>> node = alternatives(Scalar("", "duration=3h & cuda(mem=4G)*2 | duration=12h"), "x.yml:3")
    >>> [{name: item.value for name, item in each.items()} for each in node]
    [{'time': '3h', 'gpu_mem': '4G', 'gpus': 2}, {'time': '12h'}]
    """
    if isinstance(node, dict) or (isinstance(node, Scalar) and node.value is None):
        return node
    mappings: list[Node] = []
    for item in node if isinstance(node, list) else [node]:
        if isinstance(item, Scalar) and item.value is not None:
            mappings += (_read(text, where) for text in _parts(item.text, "|"))
        elif isinstance(item, dict):
            mappings.append(item)
        else:
            problem = "each alternative must be a mapping, or as"
            raise SettingsError(f"{where}: RESOURCES: {problem} {EXAMPLE!r}")
    if not mappings:
        raise SettingsError(f"{where}: RESOURCES: there is no alternative; write one, or {{}}")
    return mappings[0] if len(mappings) == 1 else mappings


def _read(text: str, where: str) -> dict[str, Node]:
    """Return one alternative of Experimaestro's text as a mapping of portable resources."""
    found: dict[str, Node] = {}
    for term in _parts(text, "&"):
        for name, value in _term(term.strip(), where):
            if name in found:
                more = "; write cuda(...)*2 for two" if name == "gpus" else ""
                raise SettingsError(
                    f"{where}: RESOURCES: {text.strip()[:_SHOWN]!r} says {name} twice{more}"
                )
            is_count = re.fullmatch(r"[1-9]\d{0,8}", value, re.ASCII)
            found[name] = Scalar(int(value) if is_count else value, value)
    return found


def _parts(text: str, sign: str) -> list[str]:
    """Return the parts of a text between signs that stand outside of ``{{ }}``.

    >>> _parts("a{{ b | c }} | d", "|")
    ['a{{ b | c }} ', ' d']
    """
    computed, close, rest = text.rpartition("}}")
    parts = [""]
    for piece in (*_COMPUTED.split(computed + close), rest):
        first, *others = [piece] if piece.startswith("{{") and close else piece.split(sign)
        parts[-1] += first
        parts += others
    return parts


def _term(term: str, where: str) -> Iterator[tuple[str, str]]:
    """Yield the resources, by their portable names, that one term asks for."""
    if match := _DURATION.fullmatch(term):
        # "3 hours" is 3h: a unit counts by its first letter.
        yield "time", _DAYS.sub(lambda part: f"{part[1]}{part[2].lower()}", match[1].strip())
        return
    match = _DEVICE.fullmatch(term)
    if match is None or (match[1] == "cpu" and match[3]):
        raise SettingsError(
            f"{where}: RESOURCES: {term[:_SHOWN]!r} is no resource; write as {EXAMPLE!r}"
        )
    for part in _parts(match[2], ",") if (match[2] or "").strip() else ():
        argument = _ARGUMENT.fullmatch(part.strip())
        name = _NAMES.get((match[1], argument[1])) if argument else None
        if argument is None or name is None:
            known = " and ".join(key for device, key in _NAMES if device == match[1])
            raise SettingsError(
                f"{where}: RESOURCES: {match[1]}({part.strip()[:_SHOWN]}): {match[1]} takes {known}"
            )
        yield name, argument[2].strip()
    if match[1] == "cuda":
        yield "gpus", (match[3] or "1").strip()


def _over(stronger: Entry, weaker: Entry) -> Node:
    nodes = [alternatives(entry.node, entry.origin) for entry in (stronger, weaker)]
    return laid_over(*nodes)


def laid_over(stronger: Node, weaker: Node) -> Node:
    """Return RESOURCES of one source over those of another.

    Of several alternatives each keeps to itself what any of them names: one without GPUs gets none
    from a weaker source.

    >>> one, two = Scalar(1, "1"), Scalar(2, "2")
    >>> laid_over([{"gpus": one}, {"cpus": two}], {"gpu": two, "account": one})[1].keys()
    dict_keys(['account', 'cpus'])
    """
    if isinstance(stronger, dict) and isinstance(weaker, dict):
        return {**weaker, **stronger}
    if isinstance(stronger, dict) and isinstance(weaker, list):
        return [laid_over(stronger, each) for each in weaker]
    if not (isinstance(stronger, list) and isinstance(weaker, dict)):
        return stronger
    own = {_canonical(name) for each in stronger if isinstance(each, dict) for name in each}
    rest = {name: node for name, node in weaker.items() if _canonical(name) not in own}
    return [laid_over(each, rest) for each in stronger]


def _canonical(name: str) -> str:
    from runx.farms.resources import ALIASES  # not at start: few settings are laid over others

    return ALIASES.get(name.lower(), name.lower())


def _resources(name: str, entry: Entry, _: Environment) -> tuple[tuple[Hparam, ...], ...]:
    read = alternatives(entry.node, entry.origin)
    return tuple(
        tuple(_resource(name, key, item, entry) for key, item in mapping.items())
        for mapping in (read if isinstance(read, list) else [read])
        if isinstance(mapping, dict)
    )


def _resource(name: str, key: str, node: Node, entry: Entry) -> Hparam:
    if isinstance(node, Scalar):
        return Hparam(key, node.value, node.text)
    if isinstance(node, list) and all(isinstance(item, Scalar) for item in node):
        scalars = [item for item in node if isinstance(item, Scalar)]
        values: tuple[Value, ...] = tuple(item.value for item in scalars)
        return Hparam(key, values, tuple(item.text for item in scalars))
    raise SettingsError(f"{entry.origin}: {name}.{key} must be a value or a list of values")


_COUNTED = ("gpus", "gpu_mem", "cpus", "mem", "time")
"""What CAPACITY may name."""


def _capacity(name: str, entry: Entry, _: Environment) -> Needs | str:
    """Read CAPACITY: what the largest node of a farm has for one run, or ``auto``."""
    from runx.farms.resources import needs

    if isinstance(entry.node, Scalar):
        if entry.text.strip() != AUTO:
            raise ValueError(entry.text)
        return AUTO
    assert isinstance(entry.node, dict)
    for key, node in entry.node.items():
        if _canonical(key) not in _COUNTED:
            raise SettingsError(
                f"{entry.at(key)}: {name}: unknown key {key}; {suggestion(key, _COUNTED)}"
            )
        if not isinstance(node, Scalar):
            raise SettingsError(f"{entry.at(key)}: {name}.{key} must be one value")
    values = [_resource(name, key, node, entry) for key, node in entry.node.items()]
    try:
        return needs(values)
    except SettingsError as error:
        raise SettingsError(f"{entry.origin}: {str(error).replace('RESOURCES', name, 1)}") from None


def _farms(_name: str, entry: Entry, _: Environment) -> tuple[str, ...]:
    if isinstance(entry.node, list):
        names = [entry._replace(node=node).text.strip() for node in entry.node]
    else:
        names = [name.strip() for name in entry.text.split(",")] if entry.text.strip() else []
    if "" in names or len({*names}) < len(names) or not (names or isinstance(entry.node, Scalar)):
        raise ValueError(names)
    return tuple(names)


_MAPPING: Schema = {"type": ["object", "null"], "additionalProperties": SCALARS}
_SIZES: Mapping[str, Schema] = {key: {"type": ["string", "number"]} for key in _COUNTED}
RESOURCES = Kind(
    (Scalar, list, dict),
    f"a mapping, as {{gpus: 2, mem: 64G}}, a list of such, or as {EXAMPLE!r}",
    _resources,
    {
        "anyOf": [
            _MAPPING,
            {"type": "string"},
            {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{**_MAPPING, "type": "object"}, {"type": "string"}]},
            },
        ]
    },
    ((),),
    over=_over,
)
CAPACITY = Kind(
    (Scalar, dict),
    "auto, or a mapping as {gpus: 8, gpu_mem: 80G, cpus: 64, mem: 500G, time: 3d}",
    _capacity,
    {
        "anyOf": [
            {"enum": [AUTO, None]},
            {"type": "object", "properties": _SIZES, "additionalProperties": False},
        ]
    },
)
FARM = Kind(
    (Scalar, list),
    "a name, auto, soonest, or a list of different names",
    _farms,
    {
        "anyOf": [
            {"type": ["string", "null"]},
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
        ]
    },
    (),
)
