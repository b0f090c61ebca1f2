"""CONFIG: a script's own configuration as defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from runx.cmdline.argv import config_text
from runx.cmdline.logdir import Logdir
from runx.errors import SettingsError
from runx.language.yamltext import parse, plain
from runx.settings.script_config import defaults
from runx.sweeps.layering import with_defaults
from runx.sweeps.sweep import points

CONFIG = "optimizer: {lr: 0.1, betas: [0.9, 0.99], nesterov: true}\nname: null\nsteps: 1e3\n"


def test_a_missing_file_is_told_where_it_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"sweep.yml:2: CONFIG: .*no.yml: no such file"):
        defaults(tmp_path / "no.yml", "sweep.yml:2")


def test_two_spellings_of_one_leaf_are_refused(tmp_path: Path):
    (tmp_path / "c.yaml").write_text("a: {b: 1}\na.b: 2\n")
    with pytest.raises(SettingsError, match=r"c\.yaml:2: a\.b is given twice"):
        defaults(tmp_path / "c.yaml", "x")


def test_the_merged_file_is_the_scripts_own_with_what_was_overridden(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    known = defaults(tmp_path / "config.yaml", "x")
    hparams = parse("optimizer.lr: [0.2, 0.3]", "sweep.yml").tree
    first, second = points(with_defaults(hparams, known, str), "x{}".format)
    merged = plain(parse(config_text(first, Logdir.at("/x"), keep_null=True), "x").tree)
    assert merged == {
        "optimizer": {"lr": 0.2, "betas": [0.9, 0.99], "nesterov": True},
        "name": None,
        "steps": 1000.0,
    }
    assert second.hparams[0].value == 0.3
