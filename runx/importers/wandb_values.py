"""The parameters of a W&B sweep as hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from runx.importers import distributions as of
from runx.importers.base import as_number, number
from runx.nearest import suggestion

_OF_EXPONENTS = ("log_uniform", "q_log_uniform", "inv_log_uniform")
_EXPONENT = 50
"""What is above it is hardly meant as a power of e."""
_KEYS = ("value", "values", "distribution", "min", "max", "mu", "sigma", "q", "probabilities")
_WIDE = 100
"""A ratio of ends above which evenly spread numbers are hardly meant."""


class Axes(NamedTuple):
    """Hyperparameters as values and operators, by name, as W&B itself orders them."""

    hparams: dict[str, Any]
    is_random: bool
    lost: list[str]
    doubtful: list[str]


def axes_of(parameters: Mapping[str, Any], method: str) -> Axes:
    """Return the hyperparameters of a sweep.

    >>> axes_of({"lr": {"min": 1e-4, "max": 1e-3}, "a": {"values": [1, 2]}}, "random").hparams
    {'a': {'choice': [1, 2]}, 'lr': {'uniform': [0.0001, 0.001]}}
    """
    axes = Axes({}, False, [], [])
    for name, config in sorted(_flat(parameters, axes.doubtful).items()):
        axes.lost.extend(f"{name}.{loss}" for loss in _strange(config))
        try:
            axes.hparams[name] = _axis(name, config, method, axes)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"has no {error}" if isinstance(error, KeyError) else str(error)
            axes.lost.append(f"{name}: {config}: {reason}; W&B refuses it")
    drawn = any(isinstance(axis, dict) and "range" not in axis for axis in axes.hparams.values())
    return axes._replace(is_random=drawn)


def _strange(config: Any) -> Iterator[str]:
    """Return what a parameter says that W&B doesn't know of one."""
    for key, value in config.items() if isinstance(config, Mapping) else ():
        if key not in _KEYS:
            advice = "; indented less, it is a parameter" if isinstance(value, Mapping) else ""
            yield f"{key}: {value}: W&B's parameters have no {key}{advice}"


def _flat(parameters: Mapping[str, Any], doubtful: list[str], above: str = "") -> dict[str, Any]:
    """Return all parameters by dotted names."""
    flat: dict[str, Any] = {}
    for name, config in parameters.items():
        dotted = f"{above}{name}"
        if isinstance(config, Mapping) and isinstance(config.get("parameters"), Mapping):
            if not above:
                doubtful.append(
                    f"{dotted}: nested: W&B gives --{dotted}={{...}}, one word with a Python dict,"
                    f" to the command line; here each has its own, {dotted}.NAME"
                )
            flat |= _flat(config["parameters"], doubtful, f"{dotted}.")
        else:
            flat[dotted] = config
    return flat


def _axis(name: str, config: Any, method: str, axes: Axes) -> Any:
    """Return the values of a parameter, as they stand in HPARAMS."""
    if not isinstance(config, Mapping):
        axes.doubtful.append(f"{name}: {config}: W&B takes {{value: ...}}; taken as such")
        config = {"values" if isinstance(config, list) else "value": config}
    if "values" in config:
        if not isinstance(config["values"], list):
            axes.doubtful.append(f"{name}: values: {config['values']} is no list; taken as a value")
        return _listed(name, config, method)
    if "value" in config:
        if isinstance(config["value"], list):
            axes.doubtful.append(
                f"{name}: value: {config['value']} is one value; for an axis: values"
            )
        return _alone(config["value"])
    kind = str(config.get("distribution") or _guessed(config))
    if method == "grid":
        return _grid(name, kind, config, axes)
    if kind not in _DRAWS:
        raise ValueError(f"distribution {kind} is unknown, {suggestion(kind, _DRAWS)}")
    axes.doubtful.extend(f"{name}: {doubt}" for doubt in _doubts(kind, config))
    axis = _DRAWS[kind](config)
    if "choice" in axis:
        axes.doubtful.append(
            f"{name}: {kind} has no operator; 32 equally likely values stand for it"
        )
    return axis


def _doubts(kind: str, config: Mapping[str, Any]) -> Iterator[str]:
    """Return what may be meant other than it is written."""
    if kind == "uniform" and 0 < number(config["min"]) * _WIDE < number(config["max"]):
        yield "uniform over more than two decades; loguniform may be meant"
    if kind in _OF_EXPONENTS:
        low, high = _ends(config)
        if low > 0 and (high <= 1 or high > _EXPONENT):
            yield f"{kind} is from e^min to e^max; {kind}_values may be meant"


def _listed(name: str, config: Mapping[str, Any], method: str) -> Any:
    values = config["values"] if isinstance(config["values"], list) else [config["values"]]
    if not values or config["values"] is None:
        raise ValueError("there are no values")
    if method == "grid" or len(values) == 1:
        return [_value(each) for each in values] if len(values) > 1 else _alone(values[0])
    if config.get("probabilities"):
        values = of.weighted(values, config["probabilities"])
    return {"choice": [_value(each) for each in values]}


def _alone(value: Any) -> Any:
    return [_value(value)] if isinstance(value, list) else _value(value)


def _value(value: Any) -> Any:
    """Return a value whose text on the command line is that which Python's ``str`` gives."""
    value = as_number(str(value) if isinstance(value, Mapping) else value)
    # What stands between {{ and }} is computed here.
    return value.replace("{{", "{{ '{' }}{") if isinstance(value, str) and "{{" in value else value


def _guessed(config: Mapping[str, Any]) -> str:
    """Return the distribution that W&B takes where none is named."""
    ends = [config.get("min"), config.get("max")]
    if all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        return "int_uniform"
    if "mu" in config or "sigma" in config:
        return "normal"
    return "uniform"


def _grid(name: str, kind: str, config: Mapping[str, Any], axes: Axes) -> Any:
    low, high = _ends(config)
    if kind == "int_uniform":
        return {"range": [int(low), int(high) + 1]}
    if kind == "q_uniform":
        step = number(config.get("q", 1))
        return [round(low + step * place, 12) for place in range(int((high - low) / step) + 1)]
    axes.doubtful.append(f"{name}: {kind} in a grid, which W&B refuses; drawn at random here")
    return _DRAWS[kind](config)


def _ends(config: Mapping[str, Any]) -> tuple[Any, Any]:
    low, high = number(config["min"]), number(config["max"])
    if low > high:
        raise ValueError("min is above max")
    return low, high


def _exp(config: Mapping[str, Any], sign: int = 1) -> tuple[float, float]:
    try:
        ends = sorted(math.exp(sign * end) for end in _ends(config))
    except OverflowError:
        raise ValueError(
            "e^max is no number; log_uniform_values takes the ends as they are"
        ) from None
    return float(f"{ends[0]:.12g}"), float(f"{ends[1]:.12g}")


def _around(config: Mapping[str, Any]) -> tuple[Any, Any]:
    return number(config.get("mu", 0)), number(config.get("sigma", 1))


def _between(operator: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda config: {operator: [*_ends(config)]}


def _rounded(
    quantile: Callable[..., Callable[[float], float]], ends: Callable[..., tuple[Any, Any]]
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda config: {
        "choice": of.likely(of.quantised(quantile(*ends(config)), number(config.get("q", 1))))
    }


_DRAWS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "uniform": _between("uniform"),
    "int_uniform": _between("randint"),
    "log_uniform_values": _between("loguniform"),
    "inv_log_uniform_values": _between("loguniform"),
    "log_uniform": lambda config: {"loguniform": [*_exp(config)]},
    "inv_log_uniform": lambda config: {"loguniform": [*_exp(config, -1)]},
    "normal": lambda config: {"normal": [*_around(config)]},
    "log_normal": lambda config: {"choice": of.likely(of.lognormal(*_around(config)))},
    "q_uniform": _rounded(of.uniform, _ends),
    "q_log_uniform": _rounded(of.loguniform, _exp),
    "q_log_uniform_values": _rounded(of.loguniform, _ends),
    "q_normal": _rounded(of.normal, _around),
    "q_log_normal": _rounded(of.lognormal, _around),
}
"""The operator for each distribution."""
