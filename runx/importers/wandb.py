"""Sweeps of Weights & Biases: the file that ``wandb sweep`` takes.

See https://docs.wandb.ai/guides/sweeps/define-sweep-configuration.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from runx.errors import SettingsError
from runx.importers.base import Imported, Importer, Source, number
from runx.importers.wandb_values import Axes, axes_of
from runx.nearest import suggestion

_EQUALS = {"style": "equals", "list": "python", "bool": "value", "none": "value"}
_STYLES: Mapping[str, Mapping[str, str]] = {
    "args": _EQUALS,
    "args_no_equals": {**_EQUALS, "style": "dashes"},
    "args_no_hyphens": {**_EQUALS, "prefix": ""},
    "args_append_hydra": {**_EQUALS, "prefix": "+"},
    "args_override_hydra": {**_EQUALS, "prefix": "++"},
    "args_no_boolean_flags": {**_EQUALS, "bool": "flag"},
    "args_json": {"style": "file", "format": "json"},
    "args_json_file": {"style": "file", "format": "json"},
}
"""ARGS for each macro that stands for all values in a sweep's command."""

_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
_KNOWN = ("env", "interpreter", "program")
_OPTION = re.compile(r"--?[A-Za-z][\w-]*\Z")
_VARIABLE = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")
_CARRIED = {"program", "command", "method", "parameters", "run_cap", "name", "description"}
_REASONS = {
    "metric": "nothing is searched; rank by `sumx NAME -s METRIC`",
    "early_terminate": "only a search of ranges stops early, by hyperband with a metric",
    "project": "runs lie under LOGROOT, not in a project",
    "entity": "runs lie under LOGROOT, not on a server",
}


def _is_sweep(source: Source) -> bool:
    tree = source.tree
    return isinstance(tree.get("parameters"), dict) and any(
        key in tree for key in ("method", "program", "command", "metric")
    )


def _read(source: Source) -> Imported:
    tree = source.tree
    axes = axes_of(tree["parameters"], str(tree.get("method", "grid")))
    lost, doubtful = [*axes.lost], [*axes.doubtful]
    search = _search(tree, axes, doubtful)
    carried = {*_CARRIED, *(("metric",) if search else ()), *_pruning(search)}
    for key in tree:
        if key not in carried:
            reason = _REASONS.get(key, "nothing here corresponds to it")
            lost.append(f"{key}: {tree[key]}: {reason}")
    command, style, remarks = _command(tree, axes)
    settings: dict[str, Any] = {"CMD": command, "ARGS": dict(style)}
    settings |= {k: str(tree[n]) for k, n in _TITLES.items() if tree.get(n)}
    settings |= {"SEARCH": search} if search else _count(tree, axes, doubtful)
    if style.get("style") == "file" and any("." in name for name in axes.hparams):
        doubtful.append("dots in names are nesting in the file that the script gets, in W&B not")
    return Imported({**settings, "HPARAMS": axes.hparams}, (*lost,), (*doubtful, *remarks))


_TITLES = {"TITLE": "name", "NOTE": "description"}


def _search(tree: Mapping[str, Any], axes: Axes, doubtful: list[str]) -> dict[str, Any]:
    """Return SEARCH of a sweep that chooses by a metric, or stops early by one; empty of others."""
    metric, method = tree.get("metric"), tree.get("method", "grid")
    rule = _asha(tree.get("early_terminate"))
    is_search = method in ("bayes", "custom") or (method == "random" and rule)
    if not (isinstance(metric, dict) and metric.get("name") and axes.is_random and is_search):
        return {}
    if not tree.get("run_cap"):
        doubtful.append("trials: 20: W&B goes on until it is stopped; say how many are enough")
    if method == "custom":
        doubtful.append("method: custom: its controller isn't read; name a sampler of your own")
    found: dict[str, Any] = {"metric": str(metric["name"]), "goal": metric.get("goal", "minimize")}
    found["trials"] = int(tree.get("run_cap") or 20)
    found |= {"sampler": "random"} if method == "random" else {}
    found |= {"target": number(metric["target"])} if metric.get("target") is not None else {}
    return {**found, **({"prune": {"asha": rule}} if rule else {})}


def _pruning(search: Mapping[str, Any]) -> tuple[str, ...]:
    return ("early_terminate",) if "prune" in search else ()


def _asha(settings: Any) -> dict[str, int]:
    """Return the options of successive halving that are Hyperband's of W&B; empty of others.

    >>> _asha({"type": "hyperband", "max_iter": 27, "s": 2}), _asha({"type": "envelope"})
    ({'first': 3, 'factor': 3}, {})
    """
    if not isinstance(settings, dict) or settings.get("type") != "hyperband":
        return {}
    factor = max(int(settings.get("eta") or 3), 2)
    first = int(settings.get("min_iter") or 0)
    if not first and settings.get("max_iter"):
        first = int(settings["max_iter"]) // factor ** int(settings.get("s") or 1)
    return {"first": max(first, 1), "factor": factor}


def _count(tree: Mapping[str, Any], axes: Axes, doubtful: list[str]) -> dict[str, Any]:
    """Return SAMPLES where values are drawn."""
    cap, method = tree.get("run_cap"), tree.get("method", "grid")
    if method not in ("grid", "random", "bayes", "custom"):
        doubtful.append(f"method: {method}: W&B knows grid, random and bayes; taken as random")
    if method in ("bayes", "custom"):
        why = "metric names nothing" if axes.is_random else "there are no ranges to search"
        doubtful.append(f"method: {method}: {why}; taken as random")
    if not axes.is_random:
        if cap:
            doubtful.append(f"run_cap: {cap}: say it when launching, `runx FILE --limit {cap}`")
        return {}
    if not cap:
        doubtful.append("SAMPLES: 20: W&B goes on until it is stopped; say how many are enough")
    return {"SAMPLES": int(cap or 20)}


def _command(tree: Mapping[str, Any], axes: Axes) -> tuple[str, Mapping[str, str], list[str]]:
    """Return CMD and ARGS, and what is doubtful about them."""
    remarks: list[str] = []
    program = str(tree.get("program") or "")
    chunks = tree.get("command") or _COMMAND
    if isinstance(chunks, str):
        remarks.append("command: one text, of which W&B makes a word for each letter; split here")
        chunks = shlex.split(chunks)
    if not program and "${program}" in map(str, chunks):
        remarks.append("CMD: the sweep names no program (it is given to wandb.agent in Python)")
        program = "train.py"
    style: Mapping[str, str] = {}
    words = []
    named = [f"${{{name}}}" for name in axes.hparams if name not in (*_STYLES, *_KNOWN)]
    left_out = [chunk for chunk in map(str, chunks) if chunk in named]
    if left_out:
        remarks.append(
            f"command: {', '.join(left_out)}: W&B leaves them out, as only ${{args}} has values;"
            f" for a value write {left_out[0][1:]}"
        )
    for before, chunk in pairwise(["", *map(str, chunks)]):
        macro = chunk[2:-1] if chunk.startswith("${") and chunk.endswith("}") else ""
        if chunk in left_out:
            continue
        if macro in _STYLES:
            if style and style != _STYLES[macro]:
                raise SettingsError(f"command: {chunk}: values are given in two ways; keep one")
            style = _STYLES[macro]
        words += _words(chunk, macro, program, remarks, bool(_OPTION.match(before)))
    if not style:
        remarks.append(
            "command: it has no ${args}: the script reads wandb.config; here each value is a"
            " variable of its environment, HP_LR; better let the script read its command line"
        )
    return " ".join(words), style or {"style": "env", "list": "json"}, remarks


def _words(
    chunk: str, macro: str, program: str, remarks: list[str], is_of_option: bool
) -> list[str]:
    """Return the words of CMD that a chunk of a sweep's command becomes."""
    if macro in _STYLES:
        json_file = '"$(cat {config})"' if macro == "args_json" else "{config}"
        return [json_file if _STYLES[macro]["style"] == "file" else "{args}"]
    if _VARIABLE.search(chunk):
        return ['"' + _VARIABLE.sub(r"${\1:-\1}", chunk.replace('"', '\\"')) + '"']
    if macro:
        known: dict[str, list[str]] = {
            "env": [],
            "interpreter": ["python"],
            "program": [shlex.quote(program)],
        }
        if macro not in known:
            hint = suggestion(macro, [*known, *_STYLES])
            remarks.append(f"command: {chunk} is unknown, {hint}; W&B leaves it out")
        return known.get(macro, [])
    if "${" in chunk:
        remarks.append(
            f"command: {chunk}: W&B passes it on as it stands; for a value write {{name}}"
        )
    elif re.search(r"\s", chunk) and not is_of_option:
        remarks.append(f"command: {chunk!r} is one word for W&B, and so here; list its words")
    is_assignment = re.match(r"[A-Za-z_]\w*=", chunk)
    quoted = shlex.quote(chunk)
    return [chunk if is_assignment and not re.search(r"[^\w=./:,+@%-]", chunk) else quoted]


IMPORTER = Importer("W&B sweeps", _is_sweep, _read)
