"""The file, or the environment, by which a script is told its hyperparameters without words."""

from __future__ import annotations

import re
from typing import Any

from runx.cmdline.styles import Style, joined
from runx.errors import SweepError
from runx.types import Point, Value

CONFIG = "config.yaml"
"""The name of the file in a run's directory."""

_STRING = "tag:yaml.org,2002:str"
# What no YAML takes for a truth value, null or a number.
_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[a-z_][\w-]*\Z", re.ASCII | re.I)


def nested(point: Point, keep_null: bool = False) -> dict[str, Any]:
    """Unfold the dots of a point's parameters into mappings, without those that are left out.

    ``keep_null`` writes them as null: a script with a CONFIG expects all of its keys.

    >>> from runx.types import Hparam
    >>> nested(Point((Hparam("optimizer.lr", 0.1, "0.1"), Hparam("seed", 1, "1"))))
    {'optimizer': {'lr': 0.1}, 'seed': 1}
    """
    tree: dict[str, Any] = {}
    for hparam in point.hparams:
        if hparam.value is None and not keep_null:
            continue
        *above, last = hparam.name.split(".")
        place = tree
        for key in above:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise _clash(hparam.name)
        if last in place:
            raise _clash(hparam.name)
        place[last] = hparam.value
    return tree


def config_text(point: Point, logdir: str, keep_null: bool = False) -> str:
    """Write the YAML that a script reads: floats and strings so that any YAML reads them as such.

    >>> from runx.types import Hparam
    >>> print(config_text(Point((Hparam("lr", 1e-05, "1e-5"), Hparam("a", "no", "no"))), "/x"))
    lr: 1.0e-05
    a: "no"
    <BLANKLINE>
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes every string and shares nothing."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        return dumper.represent_scalar(_STRING, text, style='"')

    def key_scalar(dumper: yaml.SafeDumper, key: str) -> yaml.Node:
        return dumper.represent_scalar(_STRING, key, style=None if _KEY.match(key) else '"')

    def key_node(dumper: yaml.SafeDumper, mapping: dict[str, Any]) -> yaml.Node:
        pairs = [
            (key_scalar(dumper, key), dumper.represent_data(value))
            for key, value in mapping.items()
        ]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)

    Dumper.add_representer(str, text_node)
    Dumper.add_representer(dict, key_node)
    tree = _placed(nested(point, keep_null), logdir)
    return yaml.dump(tree, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10**9)


def environment(point: Point, style: Style) -> dict[str, str]:
    """Give the variables that tell a script its hyperparameters, LOGDIR symbolic.

    >>> from runx.types import Hparam
    >>> environment(Point((Hparam("optimizer.lr", 0.1, "0.1"),)), Style("env", prefix="HP_"))
    {'HP_OPTIMIZER_LR': '0.1'}
    """
    told: dict[str, str] = {}
    names: dict[str, str] = {}
    for hparam in point.hparams:
        if hparam.value is None or (hparam.value is False and style.bool == "flag"):
            continue
        variable = style.prefix + re.sub(r"\W", "_", hparam.name, flags=re.ASCII).upper()
        if variable in told:
            raise SweepError(f"{names[variable]} and {hparam.name} would both be {variable}")
        names[variable] = hparam.name
        text = joined(hparam, style)
        told[variable] = text.lower() if isinstance(hparam.value, bool) else text
    return told


def _clash(name: str) -> SweepError:
    return SweepError(f"{name} is both a value and a mapping in {CONFIG}; rename one")


def _placed(value: Value | dict[str, Any], logdir: str) -> Any:
    if isinstance(value, dict):
        return {key: _placed(child, logdir) for key, child in value.items()}
    if isinstance(value, tuple):
        return [_placed(item, logdir) for item in value]
    return value.replace("LOGDIR", logdir) if isinstance(value, str) else value
