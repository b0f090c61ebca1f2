"""CONFIG with some of its values changed: what nobody changes stays as it is, byte for byte."""

from __future__ import annotations

import copy
import difflib
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.errors import SettingsError, SweepError
from runx.rundir.configfile import ConfigFile, config_file, config_text
from runx.rundir.logdir import Logdir
from runx.rundir.styles import FILE
from runx.sweeps.values import Hparam, Point

NULLS = FILE._replace(none="value")


def with_values(config: ConfigFile, **values: object) -> str:
    """Return a configuration with values, the names of which have two underscores for a dot."""
    point = Point(
        tuple(Hparam(name.replace("__", "."), value, str(value)) for name, value in values.items())  # type: ignore[arg-type]
    )
    return config_text(point, Logdir.at("/run"), NULLS, config)


def changed(text: str, format: str = "yaml", **values: object) -> str:
    return with_values(config_file(text, "config", format), **values)


LIGHTNING = """\
# what the paper used
seed_everything: 010
trainer:
  max_epochs: 10   # enough
  callbacks:
    - class_path: EarlyStopping
      init_args: {monitor: val_loss, patience: 3}
    - class_path: LearningRateMonitor
  logger: true
data: {}
augment: no
names: {0: a, yes: b}
when: 2026-02-06
ratio: 1_000.5
time: 1:30
note: |
  two
  lines
lr: 1e-3
"""


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"lr": 0.5}, "lr: 1e-3", "lr: 0.5"),
        ({"trainer__max_epochs": 20}, "10   # enough", "20   # enough"),
        ({"trainer__callbacks__0__init_args__patience": 9}, "patience: 3", "patience: 9"),
        ({"augment": True}, "augment: no", "augment: true"),
        ({"when": "no"}, "when: 2026-02-06", 'when: "no"'),
        ({"names__0": "b"}, "{0: a,", '{0: "b",'),
        ({"note": "short"}, "note: |\n  two\n  lines\n", 'note: "short"\n'),
        ({"new": (1, "a")}, "lr: 1e-3\n", 'lr: 1e-3\nnew: [1, "a"]\n'),
        ({"trainer__new": 1}, "  logger: true\n", "  logger: true\n  new: 1\n"),
        ({"data__root": "LOGDIR/d"}, "data: {}", 'data: {root: "/run/d"}'),
        ({"lr": None}, "lr: 1e-3", "lr: null"),
    ],
)
def test_only_what_is_set_differs(values, old, new):
    assert LIGHTNING.count(old) == 1
    assert changed(LIGHTNING, **values) == LIGHTNING.replace(old, new)


def test_a_file_in_which_nothing_is_set_is_the_same():
    config = config_file(LIGHTNING, "config.yaml")
    untouched = Point(tuple(Hparam(name, "?", "?", is_default=True) for name in config.leaves))
    assert config_text(untouched, Logdir.at("/run"), NULLS, config) == LIGHTNING


BLOCK = "a: &x\n  - 1\n  - {b: no}\n"


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a: &x {r: 1, n: no}\nb: *x\n", {"b__r": 2}, "a: &x {r: 1, n: no}\nb: {r: 2, n: no}\n"),
        ("a: &x {r: 1, n: no}\nb: *x\n", {"a__r": 2}, "a: &x {r: 2, n: no}\nb: {r: 1, n: no}\n"),
        ("a: &x {t: 1:2, r: 1}\nb: *x", {"a__r": 2}, "a: &x {t: 1:2, r: 2}\nb: {t: 1:2, r: 1}"),
        ("a: &x 1\nb: *x\n", {"a": 2}, "a: 2\nb: 1\n"),
        ("a: &x 1\nb: *x\n", {"b": 2}, "a: &x 1\nb: 2\n"),
        (
            "base: &b {lr: 1, n: no}\nit:\n  <<: *b\n  wd: 0\n",
            {"it__lr": 2},
            "base: &b {lr: 1, n: no}\nit:\n  <<: *b\n  wd: 0\n  lr: 2\n",
        ),
        (
            "base: &b {lr: 1, n: no}\nit:\n  <<: *b\n  wd: 0\n",
            {"base__lr": 2},
            "base: &b {lr: 2, n: no}\nit:\n  <<: {lr: 1, n: no}\n  wd: 0\n",
        ),
        (
            "base: &b {o: {lr: 1, n: no}}\nit:\n  <<: *b\n",
            {"it__o__lr": 2},
            "base: &b {o: {lr: 1, n: no}}\nit:\n  <<: *b\n  o: {lr: 2, n: no}\n",
        ),
        ("l: [&x 1, 2]\nm: *x\n", {"l": (5,)}, "l: [5]\nm: 1\n"),
        ("a: &x\n  - 1\n  - {b: no}\nc: *x\n", {"c__1__b": 3}, BLOCK + "c: [1, {b: 3}]\n"),
    ],
)  # fmt: skip
def test_a_value_that_others_share_changes_in_one_place(text, values, expected):
    assert changed(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("lr: 1\r\nb:\r\n  c: 2\r\n", {"b__d": 3, "lr": 2}, "lr: 2\r\nb:\r\n  c: 2\r\n  d: 3\r\n"),
        ("\ufefflr: 1\n", {"lr": 2}, "\ufefflr: 2\n"),
        ("lr: 1", {"lr": 2}, "lr: 2"),
        ("lr: 1", {"wd": 2}, "lr: 1\nwd: 2"),
        ("---\nlr: 1\n...\n", {"wd": 2}, "---\nlr: 1\nwd: 2\n...\n"),
        ("a:\nb: ~\n", {"a": 1, "b__c": 2}, "a: 1\nb: {c: 2}\n"),
        ("a: # why\n  b: 1\n", {"a__b": 2, "a__c": 3}, "a: # why\n  b: 2\n  c: 3\n"),
        ("s:\n- 1\n- 2\nt: 3\n", {"s": (5, 6)}, "s: [5, 6]\nt: 3\n"),
        ("s: !!python/tuple [1]\nt: !F {a: 1}", {"t__a": 2}, "s: !!python/tuple [1]\nt: !F {a: 2}"),
        ("a: >-\n  x\n  y\nb: 1\n", {"b": 2}, "a: >-\n  x\n  y\nb: 2\n"),
        ("{a: 1, b: {}}\n", {"b__c": 2, "d": "x"}, '{a: 1, b: {c: 2}, d: "x"}\n'),
        ("a: 'it''s'\nb: \"\\u00e9\"\n", {"a": "é\n"}, 'a: "é\\n"\nb: "\\u00e9"\n'),
        ("? a\n: 1\n", {"a": 2}, "? a\n: 2\n"),
        ("{}\n", {"a": 1}, "{a: 1}\n"),
        ("'a': 1\n", {"a": 2}, "'a': 2\n"),
        ("a.b: 1\n", {"a__b": 2}, "a.b: 2\n"),
        ("é: 1\nlr: 2 # ü\n", {"lr": 3}, "é: 1\nlr: 3 # ü\n"),
        ("a: 1\n\n# end\n", {"b": 2}, "a: 1\nb: 2\n\n# end\n"),
    ],
)  # fmt: skip
def test_whatever_the_style_of_the_text(text, values, expected):
    assert changed(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("a: 1\nb: 2 # why\nc: 3\n", "b", "a: 1\nc: 3\n"),
        ("a: 1\nb: 2", "b", "a: 1\n"),
        ("{a: 1, b: 2, c: 3}\n", "b", "{a: 1, c: 3}\n"),
        ("{a: 1, b: 2}\n", "b", "{a: 1}\n"),
        ("{a: 1}\n", "a", "{}\n"),
        ("x:\n  a: 1\n", "x.a", "x: {}\n"),
        ("- a: 1\n  b: no\n", "0.a", None),
        ("l:\n- a: 1 # why\n  b: no\n", "l.0.a", "l:\n- b: no\n"),
        ("b: &x {o: 1, n: no}\nit:\n  <<: *x\n", "it.o", "b:\n  o: 1\n  n: no\nit:\n  n: no\n"),
        ("n: |\n  text\nm: 1\n", "n", "m: 1\n"),
    ],
)
def test_what_is_left_out_is_out_of_the_file(text, name, expected):
    if expected is None:
        with pytest.raises(SettingsError, match="x:1: not a mapping"):
            config_file(text, "x")
        return
    config = config_file(text, "x")._replace(removed=frozenset([name]))
    assert config_text(Point(()), Logdir.at("/x"), FILE, config) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nb: 2\n", "x:3: a second document"),
        ("a: 1\nb: 2\na: 3\n", "x:3: a was given on line 1 already"),
        ("a: {b: 1, 'b': 2}\n", "x:1: b was given on line 1 already"),
        ("a: &x [*x]\n", "x:1: an alias .* inside its own anchor"),
        ("", "x: is empty"),
        ("a: [\n", "x:2: not YAML"),
        ("a: 1\nb: *no\n", "x:2: not YAML: .*undefined alias"),
        ("a: {b: 1}\na.b: 2\n", "x:2: a.b is given twice"),
    ],
)
def test_a_file_that_is_read_in_more_ways_than_one_is_refused(text, message):
    with pytest.raises(SettingsError, match=message):
        config_file(text, "x")


def test_a_file_of_nested_aliases_is_refused_at_once():
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with pytest.raises(SettingsError, match="aliases repeat more than"):
        config_file("\n".join(lines), "x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a__b__c": 1}, r"a\.b\.c is both a value and a mapping"),
        ({"a": 1}, "a is both a value and a mapping"),
        ({"l__7": 1}, "l.7: l is a list of 2"),
        ({"l__x": 1}, "l.x: l is a list of 2"),
        ({"m": 1}, "m is both a value and a mapping"),
        ({"a__b": "\udcff"}, "a.b holds bytes that aren't UTF-8"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(values, message):
    with pytest.raises(SweepError, match=message):
        changed("a: {b: 1}\nl: [1, 2]\nm: [{x: 1}]\n", **values)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (
            '{\n\t"lr": 1E-3,\n\t"a": {"b": "\\ud83d\\ude00 \\/"},\n\t"c": [1]\n}\n',
            {"lr": 2, "n": "a"},
            '{\n\t"lr": 2,\n\t"a": {"b": "\\ud83d\\ude00 \\/"},\n\t"c": [1],\n\t"n": "a"\n}\n',
        ),
        ('{"c": [{"d": 1.0}], "e": 1.0}', {"c__0__d": "é"}, '{"c": [{"d": "\\u00e9"}], "e": 1.0}'),
        ('{"a": {}}', {"a__x__y": (1, 2)}, '{"a": {"x": {"y": [1, 2]}}}'),
        ('{"a": null, "b": 1.0}', {"a": float("inf")}, '{"a": Infinity, "b": 1.0}'),
        ('{"a":1,"b":2}', {"b": True}, '{"a":1,"b":true}'),
    ],
)  # fmt: skip
def test_json_stays_json(text, values, expected):
    assert changed(text, "json", **values) == expected
    json.loads(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: 1}", "x:1: not JSON"),
        ('{"a": 1, "a": 2}', "x:1: a was given"),
        ("[1]", "not a mapping"),
    ],
)
def test_json_that_is_none_is_refused(text, message):
    with pytest.raises(SettingsError, match=message):
        config_file(text, "x", "json")


TOML = """\
# top
lr = 1e-3   # rate
when = 2026-02-06
[opt]
name = 'sgd' # quoted
betas = [0.9, 0.99]
[[callbacks]]
name = "a"
"""


@pytest.mark.parametrize(
    ("values", "old", "new"),
    [
        ({"lr": 0.5}, "lr = 1e-3 ", "lr = 0.5 "),
        ({"opt__name": "adam"}, "'sgd'", '"adam"'),
        ({"opt__betas": (1, 2)}, "[0.9, 0.99]", "[1, 2]"),
        ({"callbacks__0__name": "LOGDIR/b"}, '"a"', '"/run/b"'),
        ({"lr": None}, "lr = 1e-3   # rate\n", ""),
    ],
)
def test_toml_stays_toml(values, old, new):
    pytest.importorskip("tomlkit")
    assert changed(TOML, "toml", **values) == TOML.replace(old, new)


@pytest.mark.parametrize(
    ("text", "values", "written"),
    [
        ("{a, b: 1}  # why", {"a": (3, 4)}, "a:\n- 3\n- 4\nb: 1\n"),
        ("? a\n: b: 1\n", {"c": 5}, "a:\n  b: 1\nc: 5\n"),
        ("a: &k b\n*k : 3\n", {"a": 5}, "a: 5\nb: 3\n"),
    ],
)
def test_what_cannot_be_changed_where_it_stands_is_written_anew(text, values, written):
    assert changed(text, **values) == written


def test_toml_has_leaves_like_any_other():
    pytest.importorskip("tomlkit")
    leaves = config_file(TOML, "x", "toml").leaves
    assert list(leaves) == ["lr", "when", "opt.name", "opt.betas", "callbacks.0.name"]
    assert leaves["lr"].text == "1e-3"  # type: ignore[union-attr]
    with pytest.raises(SettingsError, match="x:1: not TOML"):
        config_file("a: 1", "x", "toml")
    with pytest.raises(SweepError, match=r"lr\.x is both a value and a mapping"):
        changed(TOML, "toml", lr__x=1)
    with pytest.raises(SweepError, match="opt is both a value and a mapping"):
        changed(TOML, "toml", opt=1)
    with pytest.raises(SweepError, match=r"callbacks\.7\.name: there is a list of 1; name an item"):
        changed(TOML, "toml", callbacks__7__name="b")


def test_a_missing_tomlkit_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tomlkit", None)
    with pytest.raises(
        SettingsError, match=r"x: TOML needs tomlkit; pip install 'runx-sweeps\[toml\]'"
    ):
        config_file("a = 1", "x", "toml")


words = st.sampled_from(
    ["no", "010", "1:30", "2026-02-06", "1e-3", "~", "''", "'a # b'", "text", "a b", "é", "|-\n"]
)  # fmt: skip
keys = st.sampled_from(["a", "b", "c", "lr", "0", "'yes'", "é"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Draw the lines of a block mapping."""
    lines = []
    for key in draw(st.lists(keys, min_size=1, max_size=4, unique=True)):
        comment = draw(st.sampled_from(["", "", "  # why: {x"]))
        kind = draw(st.integers(0, 5 if depth < 2 else 2))
        if kind <= 1:
            word = draw(words)
            value = [f"  {part}" for part in ("two", "lines")] if word == "|-\n" else []
            lines += [f"{key}: {word.strip()}{comment}", *value]
        elif kind == 2:
            lines += [f"{key}: [{', '.join(draw(st.lists(st.just('no'), max_size=3)))}]{comment}"]
        elif kind == 3:
            lines += [f"{key}:{comment}", *(f"  {line}" for line in draw(documents(depth + 1)))]
        elif kind == 4:
            first, *rest = draw(documents(depth + 1))
            lines += [f"{key}:{comment}", f"- {first}", *(f"  {line}" for line in rest), "- no"]
        else:
            lines += [f"{key}: {{x: no, y: {{}}}}{comment}"]
    return lines


def put(tree: object, path: tuple[str | int, ...], value: object) -> None:
    """Set a value in what PyYAML read, whose keys may be of any type."""
    *above, last = path
    for key in above:
        by_name = tree if isinstance(tree, list) else {str(k): each for k, each in tree.items()}  # type: ignore[attr-defined]
        tree = by_name[key]
    if isinstance(tree, dict):
        last = next(key for key in tree if (key if isinstance(key, str) else str(key)) == last)
    tree[last] = value  # type: ignore[index]


@settings(max_examples=150, deadline=None)
@given(documents(), st.data())
def test_any_leaf_of_any_file_is_set_and_nothing_else(lines, data):
    text = "\n".join(lines) + "\n"
    config = config_file(text, "config.yaml")
    name = data.draw(st.sampled_from(sorted(config.leaves))) if config.leaves else None
    if name is None:
        return
    value = data.draw(st.sampled_from([2.5, "no", None, (1, "x"), True, -1e-05, "a: b # c"]))
    written = with_values(config, **{name.replace(".", "__"): value})
    expected = copy.deepcopy(yaml.safe_load(text))
    put(expected, config.paths[name], list(value) if isinstance(value, tuple) else value)
    assert yaml.safe_load(written) == expected
    marks = [
        line for line in difflib.ndiff(text.split("\n"), written.split("\n")) if line[0] == "+"
    ]
    assert len(marks) <= 1, written
