"""A point as a run's script is given it: as words, a configuration file or the environment.

A shell reads every value quoted. CMD is the user's own shell text; LOGDIR and the names of values
are replaced in it, as the quotes around them require.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from runx.errors import SweepError
from runx.rundir.logdir import Logdir, quote_keeping_logdir
from runx.rundir.placement import ARGS, FILE, Placement, filled, placement_of
from runx.rundir.styles import DASHES, Style, joined, placed_words, words
from runx.sweeps import shelltext
from runx.sweeps.shelltext import LOGDIR
from runx.sweeps.values import Hparam, Point

CONFIG = "config.yaml"
"""The configuration file in a run's directory."""

_FILE = f"{LOGDIR}/{CONFIG}"

_STRING = "tag:yaml.org,2002:str"

# Keys that no version of YAML reads as a truth value, null or a number.
_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[a-z_][\w-]*\Z", re.ASCII | re.I)


def arguments(point: Point, style: Style = DASHES, cmd: str = "") -> tuple[str, ...]:
    """Return the words of the command line that stand for ``{args}``, LOGDIR symbolic.

    >>> arguments(Point((Hparam("lr", 0.1, "0.1"), Hparam("adam", True, None))))
    ('--lr', '0.1', '--adam')
    """
    return _arguments(point, style, _placement_of(cmd, point, style))


def _arguments(point: Point, style: Style, placed: Placement) -> tuple[str, ...]:
    if style.style == "file":
        return () if FILE in placed.names else ("--config", _FILE)
    hparams = placed.others(point).hparams
    return tuple([word for hparam in hparams for word in words(hparam, style)])


def _placement_of(cmd: str, point: Point, style: Style) -> Placement:
    return placement_of(cmd, point, style.style)


def shell_command(
    cmd: str, point: Point, logdir: Logdir, style: Style = DASHES, exported: bool = False
) -> str:
    """Return CMD with a point's arguments as shell text, on one line if CMD is on one.

    Where the environment holds the arguments it is set first, unless it is ``exported`` already.

    >>> point = Point((Hparam("note", "a b", "a b"), Hparam("out", "LOGDIR/o", "LOGDIR/o")))
    >>> shell_command("python train.py", point, Logdir.at("/logs/run"))
    "python train.py --note 'a b' --out /logs/run/o"
    >>> shell_command("python LOGDIR/code/x.py", point, Logdir.as_variable())
    'python "$RUNX_LOGDIR"/code/x.py --note \\'a b\\' --out "$RUNX_LOGDIR"/o'
    >>> shell_command("python train.py {note} {args} | tail", point, Logdir.at("/logs/run"))
    "python train.py 'a b' --out /logs/run/o | tail"
    """
    placed = _placement_of(cmd, point, style)
    if placed.names:
        line = _filled(placed, point, logdir, style)
    else:
        if style.style == "file":
            quoted = "".join([f" {word}" for word in _arguments(point, style, placed)])
        else:
            quoted = "".join([_quoted(hparam, style) for hparam in point.hparams])
        line = logdir.in_command(placed.text) + logdir.in_quoted(quoted)
    if style.style == "env" and not exported and (assigned := exports(point, logdir, style, cmd)):
        return f"export {' '.join(assigned)}; {line}"
    return line


def _filled(placed: Placement, point: Point, logdir: Logdir, style: Style) -> str:
    """Return CMD with values in the places that it has for them."""
    return filled(
        placed,
        point,
        _arguments(point, style, placed) if ARGS in placed.names else (),
        _FILE if style.style == "file" else "",
        lambda hparam: placed_words(hparam, style),
        logdir.spelling,
    ).rstrip()


@lru_cache(maxsize=1 << 16)
def _quoted(hparam: Hparam, style: Style) -> str:
    return "".join([" " + quote_keeping_logdir(word) for word in words(hparam, style)])


def exports(point: Point, logdir: Logdir, style: Style, cmd: str = "") -> list[str]:
    """Return the assignments that put what CMD doesn't place into a script's environment.

    >>> exports(Point((Hparam("out", "a b", "a b"),)), Logdir.at("/x"), Style("env", prefix="HP_"))
    ["HP_OUT='a b'"]
    """
    variables = environment(unplaced(cmd, point, style), style).items()
    return [f"{name}={logdir.in_word(text)}" for name, text in variables]


def unplaced(cmd: str, point: Point, style: Style, has_config: bool = False) -> Point:
    """Return a point as its file or environment has it: without what CMD places by name.

    The file of a script that has a CONFIG keeps every key.

    >>> unplaced("python x.py {a}", Point((Hparam("a", 1, "1"),)), Style("file"))
    Point(hparams=(), tag='', resources=())
    """
    return point if has_config else _placement_of(cmd, point, style).others(point)


def is_execable(cmd: str, point: Point | None = None, style: Style = DASHES) -> bool:
    """Return whether ``exec`` may precede CMD: it is one program with its arguments.

    >>> is_execable("python train.py"), is_execable("python prepare.py; python train.py")
    (True, False)
    """
    return shelltext.is_simple(_placement_of(cmd, point or Point(()), style).text)


def nested(point: Point, keep_null: bool = False) -> dict[str, Any]:
    """Return a point as nested mappings, dots unfolded, without parameters of None.

    ``keep_null`` keeps those as null: a script with a CONFIG expects all of its keys.

    >>> nested(Point((Hparam("optimizer.lr", 0.1, "0.1"), Hparam("seed", 1, "1"))))
    {'optimizer': {'lr': 0.1}, 'seed': 1}
    """
    tree: dict[str, Any] = {}
    for hparam in point.hparams:
        if hparam.value is None and not keep_null:
            continue
        *above, last = hparam.name.split(".")
        mapping = tree
        for key in above:
            mapping = mapping.setdefault(key, {})
            if not isinstance(mapping, dict):
                raise _clash(hparam.name)
        if last in mapping:
            raise _clash(hparam.name)
        mapping[last] = hparam.value
    return tree


def config_text(point: Point, logdir: Logdir, keep_null: bool = False) -> str:
    """Return the YAML that a script reads: YAML 1.1 and 1.2 read the same types in it.

    >>> point = Point((Hparam("lr", 1e-05, "1e-5"), Hparam("a", "no", "no")))
    >>> print(config_text(point, Logdir.at("/x")))
    lr: 1.0e-05
    a: "no"
    <BLANKLINE>
    """
    import yaml

    tree = logdir.in_value(nested(point, keep_null))
    return yaml.dump(tree, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=10**9)


def environment(point: Point, style: Style) -> dict[str, str]:
    """Return the environment variables that hold a point, LOGDIR symbolic.

    >>> environment(Point((Hparam("optimizer.lr", 0.1, "0.1"),)), Style("env", prefix="HP_"))
    {'HP_OPTIMIZER_LR': '0.1'}
    """
    variables: dict[str, str] = {}
    names: dict[str, str] = {}
    for hparam in point.hparams:
        if hparam.value is None or (hparam.value is False and style.bool == "flag"):
            continue
        variable = style.prefix + re.sub(r"\W", "_", hparam.name, flags=re.ASCII).upper()
        if variable in variables:
            raise SweepError(f"{names[variable]} and {hparam.name} would both be {variable}")
        names[variable] = hparam.name
        text = joined(hparam, style)
        variables[variable] = text.lower() if isinstance(hparam.value, bool) else text
    return variables


@lru_cache(maxsize=1)
def _dumper() -> Any:
    """Return a dumper that quotes every string, and every key that some YAML reads otherwise."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        return dumper.represent_scalar(_STRING, text, style='"')

    def key_node(dumper: yaml.SafeDumper, key: str) -> yaml.Node:
        return dumper.represent_scalar(_STRING, key, style=None if _KEY.match(key) else '"')

    def mapping_node(dumper: yaml.SafeDumper, mapping: dict[str, Any]) -> yaml.Node:
        pairs = [
            (key_node(dumper, key), dumper.represent_data(value)) for key, value in mapping.items()
        ]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)

    Dumper.add_representer(str, text_node)
    Dumper.add_representer(dict, mapping_node)
    return Dumper


def _clash(name: str) -> SweepError:
    return SweepError(f"{name} is both a value and a mapping in {CONFIG}; rename one")
