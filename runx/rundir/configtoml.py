"""TOML with changes of some values; comments, order and spelling of all else stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runx.errors import SettingsError, SweepError
from runx.rundir.partedit import clash
from runx.sweeps.scalars import quoted, scalar
from runx.sweeps.values import Node


def parsed(text: str, source: str) -> Any:
    """Return a TOML document that keeps its text.

    Raises:
        SettingsError: It is no TOML, or tomlkit is missing.
    """
    try:
        import tomlkit
        from tomlkit.exceptions import ParseError, TOMLKitError
    except ImportError:
        raise SettingsError(
            f"{source}: TOML needs tomlkit; pip install 'runx-sweeps[toml]', or write YAML"
        ) from None
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise SettingsError(f"{source}:{error.line}: not TOML: {error}") from None
    except (TOMLKitError, ValueError) as error:
        raise SettingsError(f"{source}: not TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{source}: nested too deeply for tomlkit") from None


def node_of(item: Any) -> Node:
    """Return an item of a document as a tree of scalars, with their text.

    >>> node_of(parsed("lr = 1e-3", "config.toml"))["lr"]
    Scalar(value=0.001, text='1e-3', plain=True)
    """
    if isinstance(item, Mapping):
        return {str(key): node_of(value) for key, value in item.items()}
    if isinstance(item, list):
        return [node_of(value) for value in item]
    if isinstance(item, str):
        return quoted(str(item))
    text = item.as_string() if hasattr(item, "as_string") else str(item).lower()
    return scalar(text)


def edited_toml(text: str, changes: Mapping[tuple[str, ...], Any], source: str) -> str:
    """Return a text of TOML with changes by their path of keys; None removes, as TOML has no null.

    >>> print(edited_toml("lr = 0.1  # why\\n", {("lr",): 0.5, ("opt", "name"): "sgd"}, "x"))
    lr = 0.5  # why
    <BLANKLINE>
    [opt]
    name = "sgd"
    <BLANKLINE>
    """
    document = parsed(text, source)
    for path, value in changes.items():
        try:
            _change(document, path, value)
        except ValueError as error:
            raise SweepError(f"{'.'.join(path)}: {error}; TOML can't hold it") from None
    result: str = document.as_string()
    return result


def _change(document: Any, path: tuple[str, ...], value: Any) -> None:
    import tomlkit

    place: Any = document
    for depth, name in enumerate(path[:-1], 1):
        key = _key(place, name, path)
        if not isinstance(place, list) and key not in place:
            place[key] = tomlkit.table()
        place = place[key]
        if not isinstance(place, (Mapping, list)):
            raise clash(".".join(path[: depth + 1]))
    key = _key(place, path[-1], path)
    is_there = not isinstance(place, Mapping) or key in place
    if is_there and isinstance(place[key], Mapping) and place[key]:
        raise clash(".".join(path))
    if value is not None:
        place[key] = value
    elif isinstance(place, list):
        raise SweepError(f"{'.'.join(path)}: an item of a list can't be left out")
    else:
        place.pop(key, None)


def _key(place: Any, name: str, path: tuple[str, ...]) -> Any:
    """Return a key of a mapping, or an index of a list."""
    if isinstance(place, Mapping):
        return name
    if not name.isdecimal() or int(name) >= len(place):
        raise SweepError(f"{'.'.join(path)}: there is a list of {len(place)}; name an item")
    return int(name)
