"""The configuration of a script: its file, with the values of its run or of its command line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runx.errors import LogxError, RunxError, SettingsError
from runx.nearest import suggestion
from runx.rundir.configfile import ConfigFile, Keys, config_tree, read_config
from runx.rundir.files import read_json
from runx.rundir.logdir import Logdir
from runx.rundir.paths import RunDir
from runx.rundir.record import dotted
from runx.sweeps.typed import axis_node, value_node
from runx.sweeps.yaml import plain
from runx.tracking.context import Hparams
from runx.tracking.plain import path_of

_WORD = re.compile(r"(?P<plus>\+{0,2})(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)\Z", re.DOTALL)


class Config(Hparams):
    """A script's configuration, read-only: by names, as attributes, and by dotted names.

    >>> config = Config({"optimizer": {"lr": 0.1}, "layers": [{"width": 3}]})
    >>> config.optimizer.lr, config["optimizer"]["lr"], config["optimizer.lr"]
    (0.1, 0.1, 0.1)
    >>> config.layers[0].width, dict(config.optimizer), "width" in config
    (3, {'lr': 0.1}, False)
    """

    __slots__ = ()
    _what = "value in the configuration:"

    def _shown(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        return super()._shown(value)


def read_script_config(
    path: Any,
    words: Sequence[str],
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Return the configuration in a file, with the values of the launched run over its own.

    Where runx launched no run, with those of the words ``name=value`` of the script's command line.
    Raises LogxError for a file or a value that can't be used.
    """
    file = _located(path_of(path, "config="))
    run = RunDir(Path(environment.get("RUNX_LOGDIR") or os.devnull).absolute())
    try:
        config = read_config(file, "initialize")
        tree = config_tree(config)
        if run.record.exists():
            hparams = Logdir.at(run).in_value(dotted(read_json(run.hparams)))
            for name, value in hparams.items():
                _put(tree, _keys(config, name), value, f"{run.hparams}: {name}")
        else:
            _put_words(tree, config, words)
    except LogxError:
        raise
    except RunxError as error:
        raise LogxError(str(error)) from error
    return tree


def _located(path: str) -> Path:
    """Return a file where it is, by the working directory or else beside the script."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    places = [Path.cwd(), *([Path(main).absolute().parent] if main else [])]
    for place in places:
        if (place / path).is_file():
            return place / path
    looked = " and ".join(dict.fromkeys(map(str, places)))
    raise LogxError(f"config={path}: no such file; a relative path is looked for in {looked}")


def _keys(config: ConfigFile, name: str) -> Keys:
    return config.paths.get(name) or tuple(name.split("."))


def _put_words(tree: dict[str, Any], config: ConfigFile, words: Iterable[str]) -> None:
    """Set the values of the words ``name=value``, and of ``+name=value`` also new ones."""
    for word in words:
        match = _WORD.match(word)
        if match is None:
            continue
        name = match["name"]
        keys = _keys(config, name)
        if not match["plus"] and not _reaches(tree, keys):
            raise LogxError(
                f"{word}: {config.source} has no {name}; {suggestion(name, config.leaves)}"
                f" Write +{name}=... for a new one"
            )
        for leaf, value in dotted({name: _one_value(word, name, match["value"])}).items():
            _put(tree, _keys(config, leaf), value, word)


def _one_value(word: str, name: str, text: str) -> Any:
    """Return the value in a word; raises where it is an axis of several."""
    node = value_node(word, text)
    several = axis_node(word, name, text)
    if isinstance(several, list) and several != node:
        raise SettingsError(
            f"{word}: a script takes one value; write {name}='[{text}]' for a list,"
            f" or {name}='\"{text}\"' for a text"
        )
    return plain(node)


def _has(container: Any, key: str | int) -> bool:
    """Return whether a mapping has a key, or a list an index."""
    if isinstance(container, dict):
        return str(key) in container
    return isinstance(container, list) and str(key).isdecimal() and int(key) < len(container)


def _inner(container: Any, key: str | int) -> Any:
    """Return what a mapping or list has at a key, None where there is nothing."""
    if not _has(container, key):
        return None
    return container[str(key) if isinstance(container, dict) else int(key)]


def _reaches(tree: Any, keys: Keys) -> bool:
    *above, last = keys
    for key in above:
        tree = _inner(tree, key)
    return _has(tree, last)


def _put(tree: Any, keys: Keys, value: Any, what: str) -> None:
    """Set a value in nested mappings and lists; mappings that are missing are made."""
    *above, last = keys
    for depth, key in enumerate(above, 1):
        inner = _inner(tree, key)
        if inner is None and isinstance(tree, dict):
            inner = tree[str(key)] = {}
        if not isinstance(inner, (dict, list)):
            place = ".".join(map(str, keys[:depth]))
            raise LogxError(f"{what}: {place} is a value in the configuration, and no mapping")
        tree = inner
    if isinstance(tree, dict):
        tree[str(last)] = value
    elif _has(tree, last):
        tree[int(last)] = value
    else:
        place = ".".join(map(str, above))
        raise LogxError(f"{what}: {place} is a list of {len(tree)} in the configuration")
