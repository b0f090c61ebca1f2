"""Grammars of other tools in an experiment, and how the same is written here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from runx.sweeps.values import Node, Scalar

_IMPORT = "runx import turns a whole file of it into an experiment"

_TOP = {
    "program": ("W&B", "CMD: python train.py"),
    "command": ("W&B", "CMD: python train.py"),
    "method": ("W&B", "a list is a grid; draws: lr: {uniform: [0, 1]} and SAMPLES: 20"),
    "parameters": ("W&B", "HPARAMS: {lr: [0.1, 0.2]}"),
    "metric": ("W&B", "rank by sumx NAME -s METRIC"),
    "run_cap": ("W&B", "SAMPLES: 20"),
    "early_terminate": ("W&B", "there is no early stopping yet"),
    "defaults": ("Hydra", "ARGS: {style: hydra} and model: [small, large] in HPARAMS"),
    "hydra": ("Hydra", "ARGS: {style: hydra} and lr: [0.1, 0.2] in HPARAMS"),
    "seml": ("SEML", "CMD: python train.py"),
    "fixed": ("SEML", "HPARAMS: {lr: 0.1}"),
    "grid": ("SEML", "HPARAMS: {lr: [0.1, 0.2]}"),
}
"""Keys at the top of other tools' files: of which tool, and what is written here."""

_PARAMETER = frozenset(
    {
        *("value", "values", "min", "max", "distribution", "mu", "sigma", "q", "probabilities"),
        *("parameters", "type", "options", "num", "low", "high", "choices", "log", "step"),
    }
)
"""The keys by which parameters of W&B, SEML and Optuna have their values."""

_DISTRIBUTIONS = {
    "int": "randint",
    "int_uniform": "randint",
    "randint": "randint",
    "log_uniform": "loguniform",
    "log_uniform_values": "loguniform",
    "loguniform": "loguniform",
    "normal": "normal",
}

_ENDS = (("min", "low"), ("max", "high"))

_CALL = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag)\((.*)\)\Z", re.DOTALL)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:,\s+{_NUMBER})+\Z")


def file_advice(tree: Mapping[str, Node], source: str) -> str:
    """Return what to do about a whole file of another tool; empty where it is none.

    >>> file_advice({"program": Scalar("x", "x"), "parameters": {}}, "sweep.yaml")
    'this is a sweep of W&B; runx import sweep.yaml prints it as an experiment'
    """
    is_wandb = "parameters" in tree and {"program", "method", "command"} & tree.keys()
    tool = "W&B" if is_wandb else "SEML" if "seml" in tree else ""
    target = tree.get("_target_")
    is_sweeper = isinstance(target, Scalar) and "Sweeper" in target.text
    if is_sweeper or (isinstance(hydra := tree.get("hydra"), dict) and "sweeper" in hydra):
        tool = tool or "Hydra"
    if not tool:
        return ""
    return f"this is a sweep of {tool}; runx import {source} prints it as an experiment"


def key_advice(key: str) -> str:
    """Return how a key at the top of another tool's file is written here; empty where it is none.

    >>> key_advice("run_cap")
    'run_cap is of W&B; here: SAMPLES: 20; runx import turns a whole file of it into an experiment'
    """
    if key not in _TOP:
        return ""
    tool, here = _TOP[key]
    return f"{key} is of {tool}; here: {here}; {_IMPORT}"


def is_parameter(node: Mapping[str, Node]) -> bool:
    """Return whether a mapping is how another tool gives a parameter its values.

    >>> is_parameter({"values": []}), is_parameter({"type": Scalar("adam", "adam")})
    (True, False)
    """
    return node.keys() <= _PARAMETER and not node.keys() <= {"type", "num", "q", "log", "step"}


def parameter_advice(name: str, node: Mapping[str, Node]) -> str:
    """Return how a parameter of another tool is written here.

    >>> parameter_advice("lr", {"value": Scalar(1, "1")})
    "this is another tool's; write lr: 1; runx import turns a whole file of it into an experiment"
    """
    return f"this is another tool's; write {name}: {_written(node)}; {_IMPORT}"


def _written(node: Mapping[str, Node]) -> str:
    for key in ("values", "options", "choices"):
        if isinstance(items := node.get(key), list):
            return f"[{', '.join(map(_text, items))}]"
    if "value" in node:
        value = node["value"]
        return f"[{_text(value)}]" if isinstance(value, list) else _text(value)
    if "parameters" in node:
        return "{...} with dots in the names"
    kind = node.get("distribution", node.get("type"))
    operator = _operator(node)
    names = (("mu",), ("sigma",)) if operator == "normal" else _ENDS
    ends = [next((node[name] for name in pair if name in node), None) for pair in names]
    # W&B's log_uniform has exponents as its ends, other than log_uniform_values.
    is_power = isinstance(kind, Scalar) and kind.text == "log_uniform"
    low, high = (_power(end) if is_power else _text(end) for end in ends)
    step = next((f", {_text(node[key])}" for key in ("step", "q") if key in node), "")
    return f"{{{operator}: [{low}, {high}{'' if operator == 'normal' else step}]}}, and SAMPLES"


def _operator(node: Mapping[str, Node]) -> str:
    kind = node.get("distribution", node.get("type"))
    log = node.get("log")
    if isinstance(log, Scalar) and log.value is True:
        is_int = isinstance(kind, Scalar) and _DISTRIBUTIONS.get(kind.text) == "randint"
        return "lograndint" if is_int else "loguniform"
    if isinstance(kind, Scalar):
        return _DISTRIBUTIONS.get(kind.text, "uniform")
    if "mu" in node or "sigma" in node:
        return "normal"
    # Without a distribution, W&B draws integers between integers.
    ends = [node.get("min"), node.get("max")]
    are_ints = all(isinstance(end, Scalar) and type(end.value) is int for end in ends)
    return "randint" if are_ints else "uniform"


def _power(node: Node | None) -> str:
    if not isinstance(node, Scalar) or not isinstance(node.value, (int, float)):
        return _text(node)
    return f"{math.exp(node.value):.6g}" if node.value < 700 else f"e^{node.text}"


def _text(node: Node | None) -> str:
    if isinstance(node, list):
        return f"[{', '.join(map(_text, node))}]"
    return node.text if isinstance(node, Scalar) else "..."


def text_advice(node: Scalar) -> str:
    """Return how a text in another tool's grammar is written here; empty where it is none.

    What is quoted is meant as a text.

    >>> text_advice(Scalar("choice(a, b)", "choice(a, b)")), text_advice(Scalar("0,1", "0,1"))
    ("is a text; for its values write [a, b], or 'choice(a, b)' for the text", '')
    """
    if not node.plain:
        return ""
    here = ""
    if match := _CALL.match(node.text):
        here = _called(match[1], match[2].strip())
    elif _NUMBERS.match(node.text):
        here = f"[{node.text}]"
    return f"is a text; for its values write {here}, or '{node.text}' for the text" if here else ""


def _called(function: str, arguments: str) -> str:
    if function == "range":
        return f"{{range: [{arguments}]}}"
    if function == "interval":
        return f"{{uniform: [{arguments}]}} with SAMPLES"
    if function == "tag":
        return "{loguniform: [1e-4, 1e-1]} with SAMPLES"
    return "a list of the options" if function == "glob" else f"[{arguments}]"
