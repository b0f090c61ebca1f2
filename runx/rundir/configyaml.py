"""Values as YAML in which every version of it, and every library, reads the same types."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

_STRING = "tag:yaml.org,2002:str"

# Keys that no version of YAML reads as a truth value, null or a number.
_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[a-z_][\w-]*\Z", re.ASCII | re.I)


def yaml_text(tree: Any) -> str:
    """Return nested mappings as YAML.

    >>> print(yaml_text({"lr": 1e-05, "a": "no"}))
    lr: 1.0e-05
    a: "no"
    <BLANKLINE>
    """
    return _dumped(tree, flow=False)


def yaml_value(value: Any) -> str:
    """Return a value as YAML on one line.

    >>> yaml_value([1e-05, "no", None])
    '[1.0e-05, "no", null]'
    """
    return _dumped(value, flow=True).removesuffix("...\n").rstrip("\n")


@lru_cache(maxsize=4096)
def yaml_key(key: str) -> str:
    """Return a key as YAML.

    >>> yaml_key("lr"), yaml_key("no"), yaml_key("0")
    ('lr', '"no"', '"0"')
    """
    return key if _KEY.match(key) else _dumped(key, flow=True).rstrip("\n")


def _dumped(value: Any, flow: bool) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**9,
        default_flow_style=flow,
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes every string, and every key that some YAML reads otherwise."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(_STRING, text, style='"')


def _key_node(dumper: yaml.SafeDumper, key: str) -> yaml.Node:
    return dumper.represent_scalar(_STRING, key, style=None if _KEY.match(key) else '"')


def _mapping_node(dumper: yaml.SafeDumper, mapping: dict[str, Any]) -> yaml.Node:
    pairs = [
        (_key_node(dumper, key), dumper.represent_data(value)) for key, value in mapping.items()
    ]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=dumper.default_flow_style)


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(dict, _mapping_node)
