"""HPARAMS merged with HPARAMS, key by key: bases, named sweeps, overrides, a script's defaults.

Every function returns a new tree and leaves its arguments as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from runx.errors import SweepError
from runx.sweeps.axes import CASES, GROUPS, RESERVED, RESOURCE, SKIP, ZIP, Locator
from runx.sweeps.values import Node, Scalar

Tree: TypeAlias = dict[str, Node]


def keys(hparams: Node) -> list[str]:
    """Return all keys that HPARAMS sets, those inside of RUNX.ZIP and the like too.

    >>> one = Scalar(1, "1")
    >>> keys([{"lr": one}, {"RUNX.CASES": [{"opt": one}], "RUNX.TAG": one}])
    ['lr', 'opt', 'RUNX.TAG']
    """
    names: dict[str, None] = {}
    for mapping in _mappings(hparams):
        for key, node in mapping.items():
            names.update(dict.fromkeys(keys(node) if key in GROUPS else [key]))
    return list(names)


def values_of(hparams: Node, name: str) -> list[Scalar]:
    """Return the plain values that HPARAMS lists for a key, inside of RUNX.ZIP and the like too.

    >>> one, two = Scalar(1, "1"), Scalar(2, "2")
    >>> [each.text for each in values_of([{"lr": one}, {"RUNX.ZIP": {"lr": [one, two]}}], "lr")]
    ['1', '1', '2']
    """
    values: list[Scalar] = []
    for mapping in _mappings(hparams):
        for key, node in mapping.items():
            if key in GROUPS:
                values += values_of(node, name)
            elif key == name:
                nodes = node if isinstance(node, list) else [node]
                values += [each for each in nodes if isinstance(each, Scalar)]
    return values


def computed_names(hparams: Node) -> list[str]:
    """Return the keys that have a computed value, one with ``{{ }}`` in it.

    >>> computed_names({"a": Scalar("{{ b }}", "{{ b }}"), "b": Scalar(1, "1")})
    ['a']
    """
    names: dict[str, None] = {}
    for mapping in _mappings(hparams):
        for key, node in mapping.items():
            if key in GROUPS:
                names.update(dict.fromkeys(computed_names(node)))
            elif "{{" in repr(node):
                names[key] = None
    return list(names)


def is_free(name: str) -> bool:
    """Return whether a key is one of runx, which may be set though HPARAMS lacks it.

    >>> is_free("RUNX.TAG"), is_free("SUBMIT_JOB.NODES"), is_free("lr")
    (True, True, False)
    """
    return name in RESERVED or name.startswith(RESOURCE)


def with_key(hparams: Node, name: str, node: Node) -> Node:
    """Return HPARAMS with a key set, for every mapping of a list, and no more in zips or the like.

    >>> one, two = Scalar(1, "1"), Scalar(2, "2")
    >>> with_key([{"lr": one}, {"lr": two, "a": one}], "lr", two) == [{"lr": two}, {"a": one}]
    True
    """
    if isinstance(hparams, list):
        if name == SKIP:
            return [item if _is_base(item) else with_key(item, name, node) for item in hparams]
        return [with_key(hparams[0], name, node), *(without_key(h, name) for h in hparams[1:])]
    if not isinstance(hparams, dict):
        return hparams
    if name in hparams:
        return {**hparams, name: node}
    others = without_key(hparams, name)
    assert isinstance(others, dict)
    return {**others, name: node}


def without_key(hparams: Node, name: str) -> Node:
    """Return HPARAMS without a key, in zips and the like too.

    >>> one = Scalar(1, "1")
    >>> without_key({"a": one, "RUNX.ZIP": {"b": [one], "c": [one]}}, "b")["RUNX.ZIP"].keys()
    dict_keys(['c'])
    """
    if isinstance(hparams, list):
        return [without_key(item, name) for item in hparams]
    if not isinstance(hparams, dict):
        return hparams
    others = {
        key: _without_empty(without_key(node, name)) if key in GROUPS else node
        for key, node in hparams.items()
        if key != name
    }
    return {key: node for key, node in others.items() if key not in GROUPS or node}


def _without_empty(node: Node) -> Node:
    """Return a zip, cases or the like; empty where nothing is left in it."""
    if not isinstance(node, list):
        return node
    items = [_without_empty(item) if isinstance(item, list) else item for item in node]
    items = [item for item in items if item != []]
    return items if any(items) else []


def laid_over(stronger: Node, weaker: Node) -> Node:
    """Return HPARAMS over that of a base: key by key if both are mappings, else the stronger alone.

    >>> one, two = Scalar(1, "1"), Scalar(2, "2")
    >>> laid_over({"b": two, "c": two}, {"a": one, "b": one}) == {"a": one, "b": two, "c": two}
    True
    """
    if not (isinstance(stronger, dict) and isinstance(weaker, dict)):
        return stronger
    result: Node = weaker
    for name, node in stronger.items():
        result = with_key(cleared(result, node, name), name, node)
    return result


def deeply(stronger: Node, weaker: Node | None) -> Node:
    """Return a value over another: key by key where both are mappings, at every depth.

    >>> deeply({"a": {"b": []}}, {"a": {"c": []}, "d": []})
    {'a': {'c': [], 'b': []}, 'd': []}
    """
    if not (isinstance(stronger, dict) and isinstance(weaker, dict)):
        return stronger
    both = {name: deeply(node, weaker.get(name)) for name, node in stronger.items()}
    return {**weaker, **both}


def with_sweeps(
    hparams: Node, sweeps: Mapping[str, Node], chosen: Iterable[str], at: Locator
) -> Node:
    """Return HPARAMS crossed with the chosen sweeps of SWEEPS, whose keys ``at`` locates.

    >>> one, two = Scalar(1, "1"), Scalar(2, "2")
    >>> with_sweeps({"lr": one}, {"seeds": {"seed": [one, two]}}, ["seeds"], str).keys()
    dict_keys(['lr', 'seed'])
    """
    from runx.nearest import suggestion

    setters: dict[str, str] = {}
    names = list(chosen)
    for sweep in sweeps if names == ["*"] else names:
        if sweep not in sweeps:
            raise SweepError(f"{at()}: --sweep {sweep} is unknown: {suggestion(sweep, sweeps)}")
        mapping = sweeps[sweep]
        if not isinstance(mapping, dict):
            raise SweepError(f"{at(sweep)}: SWEEPS: {sweep} is no mapping of hyperparameters")
        for name in keys(mapping):
            if name in setters:
                both = f"{setters[name]} and {sweep}"
                raise SweepError(f"{at(sweep)}: {name} is set by both sweeps {both}; choose one")
            setters[name] = sweep
        for name, node in mapping.items():
            hparams = cleared(hparams, node, name)
            hparams = with_key(hparams, name, _joined(hparams, name, node))
    return hparams


def with_defaults(hparams: Node, defaults: Mapping[str, Node], at: Locator) -> Node:
    """Return HPARAMS over a script's own configuration; keys that it lacks begin with ``+``.

    >>> one, two = Scalar(1, "1"), Scalar(2, "2")
    >>> with_defaults({"lr": two, "+new": one}, {"lr": one, "wd": one}, str).keys()
    dict_keys(['lr', 'wd', 'new'])
    """
    from runx.nearest import suggestion

    for name in keys(hparams):
        if not name.startswith("+") and name not in defaults and not is_free(name):
            hint = f"{suggestion(name, defaults)} (+{name} adds it)"
            raise SweepError(f"{at(name)}: {name} is not in CONFIG: {hint}")
    plain = _without_plus(hparams)
    if isinstance(plain, list):
        return [laid_over(plain[0], dict(defaults)), *plain[1:]] if plain else plain
    return laid_over(plain, dict(defaults))


def located(at: Locator, places: Mapping[str, str]) -> Locator:
    """Return ``at`` with other places for some keys, whichever mapping of a list they are in.

    >>> located(lambda *path: "sweep.yml:2", {"lr": "the command line"})(0, "lr", 3)
    'the command line'
    """

    def where(*path: str | int) -> str:
        return next(
            (places[key] for key in path if isinstance(key, str) and key in places), at(*path)
        )

    return where


def _mappings(hparams: Node) -> list[Tree]:
    """Return the mappings of HPARAMS, or of a zip or cases, of which there may be several."""
    if isinstance(hparams, list):
        return [mapping for item in hparams for mapping in _mappings(item)]
    return [hparams] if isinstance(hparams, dict) else []


def _is_base(node: Node) -> bool:
    """Return whether a mapping is skipped, and only inherited from."""
    skip = node.get(SKIP) if isinstance(node, dict) else None
    return isinstance(skip, Scalar) and skip.value is True


def cleared(hparams: Node, node: Node, name: str) -> Node:
    """Return HPARAMS without the keys that a zip and the like set."""
    for key in keys(node) if name in GROUPS else ():
        hparams = without_key(hparams, key)
    return hparams


def _joined(hparams: Node, name: str, node: Node) -> Node:
    """Return a value of a sweep; zips and cases join those of HPARAMS."""
    first = _mappings(hparams)[0] if _mappings(hparams) else {}
    return joined(name, first[name], node) if name in first else node


def joined(name: str, one: Node, other: Node) -> Node:
    """Return two zips, or two lists of cases, as several, which cross; else the other alone.

    >>> joined(CASES, [{"a": Scalar(1, "1")}], [{"b": Scalar(2, "2")}])[1][0].keys()
    dict_keys(['b'])
    """
    if name == ZIP:
        zips = (each if isinstance(each, list) else [each] for each in (one, other))
        return [item for each in zips for item in each]
    if name == CASES:
        return [*several_cases(one), *several_cases(other)]
    return other


def several_cases(node: Node) -> list[Node]:
    """Return the lists of cases of a RUNX.CASES, which cross each other."""
    if isinstance(node, list) and any(isinstance(item, list) for item in node):
        return node
    return [node]


def _without_plus(hparams: Node) -> Node:
    if isinstance(hparams, list):
        return [_without_plus(item) for item in hparams]
    if not isinstance(hparams, dict):
        return hparams
    return {
        key.removeprefix("+"): _without_plus(node) if key in GROUPS else node
        for key, node in hparams.items()
    }
