"""HPARAMS as it is planned: HPARAMS_FROM, and CONFIG, a script's own configuration as defaults."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runx.config.hparams import python_grid, with_grid
from runx.config.load import load
from runx.config.request import Request
from runx.errors import SettingsError, SweepError
from runx.rundir.configfile import config_text, read_config
from runx.rundir.logdir import Logdir
from runx.rundir.styles import FILE
from runx.sweeps.merge import with_defaults
from runx.sweeps.sweep import points
from runx.sweeps.values import Node, Scalar
from runx.sweeps.yaml import parse, plain

CONFIG = "optimizer: {lr: 0.1, betas: [0.9, 0.99], nesterov: true}\nname: null\nsteps: 1e3\n"
CODE = """
from dataclasses import dataclass
from pathlib import Path
import neighbour

@dataclass
class Odd:
    x: int = 1

def cases():
    for arch, lr in [("small", 1e-05), ("large", 0.1)]:
        yield {"arch": arch, "lr": lr, "sizes": (64, 32)}

def grid():
    return {"lr": [0.1, 0.2], "seed": [neighbour.SEED], "path": Path("x")}

def listed():
    return [{"a": True}, {"b": None}]

def broken():
    yield {"a": 1}
    raise ValueError("no\\nmore")

def odd(): return {"a": Odd()}
def nothing(): return []
def number(): return 3
def numbers(): return [3]
def needy(x): return {}
constant = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sweeps.py").write_text(CODE)
    (tmp_path / "neighbour.py").write_text("SEED = 7")
    (tmp_path / "unwell.py").write_text("x = 1\nraise RuntimeError('ill')\n")
    return tmp_path


def values(spec: str, folder: Path, hparams: Node) -> list[dict[str, object]]:
    tree = with_grid(hparams, python_grid(spec, folder, "sweep.yml:3"))
    return [{h.name: h.value for h in point.hparams} for point in points(tree, "x{}".format)]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sweeps.py", "no such file; write sweeps.py:function"),
        ("no.py:cases", "no such file"),
        ("sweeps.py:none", "has no function none"),
        ("sweeps.py:constant", "has no function constant"),
        ("sweeps.py:odd", "a is a Odd; give a number"),
        ("sweeps.py:nothing", "gives no mapping"),
        ("sweeps.py:number", "gives int; return or yield mappings"),
        ("sweeps.py:numbers", "gives int; return or yield mappings"),
        ("sweeps.py:needy", "TypeError: needy"),
        ("sweeps.py:broken", r"ValueError: no more \(line 22\)"),
        ("unwell.py:x", r"RuntimeError: ill \(line 2\)"),
    ],
)
def test_what_gives_no_hyperparameters_is_refused_on_one_line(folder, spec, message):
    with pytest.raises(SweepError, match=f"^sweep.yml:3: .*{message}"):
        values(spec, folder, {})


def test_mappings_that_are_yielded_are_points_and_cross_the_rest(folder):
    assert values("sweeps.py:cases", folder, {"seed": [Scalar(0, "0"), Scalar(1, "1")]})[1:3] == [
        {"seed": 0, "arch": "large", "lr": 0.1, "sizes": (64, 32)},
        {"seed": 1, "arch": "small", "lr": 1e-05, "sizes": (64, 32)},
    ]


def test_a_mapping_is_a_grid_laid_over_the_rest(folder):
    assert values("sweeps.py:grid", folder, {"lr": Scalar(5, "5")}) == [
        {"lr": 0.1, "seed": 7, "path": "x"},
        {"lr": 0.2, "seed": 7, "path": "x"},
    ]


def test_a_list_of_mappings_is_as_good_as_yielding_them(folder):
    assert values("sweeps.py:listed", folder, {}) == [{"a": True}, {"b": None}]


def test_importing_leaves_the_search_path_as_it_was(folder):
    before = list(sys.path)
    values("sweeps.py:grid", folder, {})
    assert sys.path == before


def test_a_missing_file_is_refused_where_it_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"sweep.yml:2: CONFIG: .*no.yml: no such file"):
        read_config(tmp_path / "no.yml", "sweep.yml:2")


def test_two_spellings_of_one_leaf_are_refused(tmp_path: Path):
    (tmp_path / "c.yaml").write_text("a: {b: 1}\na.b: 2\n")
    with pytest.raises(SettingsError, match=r"c\.yaml:2: a\.b is given twice"):
        read_config(tmp_path / "c.yaml", "x")


def test_the_merged_file_is_the_scripts_own_with_what_was_overridden(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    config = read_config(tmp_path / "config.yaml", "x")
    hparams = parse("optimizer.lr: [0.2, 0.3]", "sweep.yml").tree
    first, second = points(with_defaults(hparams, config.leaves, str), "x{}".format)
    merged = plain(
        parse(config_text(first, Logdir.at("/x"), FILE._replace(none="value"), config), "x").tree
    )
    assert merged == {
        "optimizer": {"lr": 0.2, "betas": [0.9, 0.99], "nesterov": True},
        "name": None,
        "steps": 1000.0,
    }
    assert second.hparams[0].value == 0.3


def test_several_functions_cross_each_other_and_the_cases_that_are_there(folder):
    tree = parse("RUNX.CASES: [{z: 1}, {z: 2}]", "x").tree
    for spec in ("sweeps.py:cases", "sweeps.py:listed"):
        tree = with_grid(tree, python_grid(spec, folder, "x"))
    got = [{h.name: h.value for h in point.hparams} for point in points(tree, "x{}".format)]
    assert len(got) == 8
    assert [(each["z"], each["arch"], "b" in each) for each in got[:3]] == [
        (1, "small", False),
        (1, "small", True),
        (1, "large", False),
    ]


def loaded(folder, text, **options):
    (folder / "x.yml").write_text(text)
    return load(Request(folder / "x.yml", folder, {"HOME": "/"}, **options))


def test_functions_of_a_setting_are_executed_where_they_are_asked_for_alone(folder):
    text = "CMD: x\nHPARAMS: {}\nSWEEPS: {a: sweeps.py:listed, b: sweeps.py:broken, c: {s: 1}}\n"
    assert loaded(folder, text, sweeps=("c",)).functions == {}
    experiment = loaded(folder, text, sweeps=("a", "c"))
    first, _ = points(experiment.hparams, experiment.at)
    assert {each.name for each in first.hparams} == {"a", "s"}
    assert list(experiment.functions.values()) == ["SWEEPS"]
    with pytest.raises(SweepError, match=r"x.yml:3: SWEEPS: b: .*ValueError: no more"):
        loaded(folder, text, sweeps=("b",))
    assert loaded(folder, text, sweeps=("b",), executes=False).functions == {}


def test_what_two_functions_give_is_refused(folder):
    text = "CMD: x\nHPARAMS_FROM: [sweeps.py:cases, sweeps.py:grid]\n"
    with pytest.raises(SweepError, match=r"sweeps.py:cases and sweeps.py:grid both give lr; keep"):
        loaded(folder, text)


def test_a_function_of_an_extended_file_lies_beside_that(folder):
    (folder / "base").mkdir()
    (folder / "base" / "more.py").write_text("def f(): return {'m': [1, 2]}")
    (folder / "base" / "b.yml").write_text("SWEEPS: {m: more.py:f}\n")
    text = "EXTENDS: base/b.yml\nCMD: x\nHPARAMS: {}\nSWEEPS: {n: {n: 1}}\n"
    experiment = loaded(folder, text, sweeps=("m",))
    assert len(list(points(experiment.hparams, experiment.at))) == 2
