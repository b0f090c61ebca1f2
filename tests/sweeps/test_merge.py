"""HPARAMS laid over HPARAMS: bases, named sweeps, a script's own configuration."""

from __future__ import annotations

from functools import partial

import pytest

from runx.errors import SweepError
from runx.sweeps.axes import Locator
from runx.sweeps.merge import keys, laid_over, with_defaults, with_sweeps
from runx.sweeps.sweep import points
from runx.sweeps.values import Node
from runx.sweeps.yaml import parse

SWEEPS = "{lr: {lr: [1, 2]}, seed: {seed: {repeat: 2}}, zip: {RUNX.ZIP: {a: [1, 2], b: [3, 4]}}}"


def read(text: str) -> tuple[Node, Locator]:
    document = parse(f"it: {text}" if text.startswith(("{", "[")) else text, "sweep.yml")
    return document.tree["it"], partial(document.at, "it")


def values(hparams: Node) -> list[dict[str, object]]:
    return [{h.name: h.value for h in point.hparams} for point in points(hparams, "x{}".format)]


def chosen(hparams: str, *names: str) -> list[dict[str, object]]:
    sweeps, at = read(SWEEPS)
    assert isinstance(sweeps, dict)
    return values(with_sweeps(read(hparams)[0], sweeps, names, at))


def test_an_unknown_sweep_names_those_that_there_are():
    with pytest.raises(SweepError, match=r"sweep.yml:1: --sweep sed is unknown: did you mean seed"):
        chosen("{lr: 5}", "sed")


def test_two_sweeps_of_one_key_are_refused():
    sweeps, at = read("{a: {lr: 1}, b: {RUNX.ZIP: {lr: [1]}}}")
    assert isinstance(sweeps, dict)
    with pytest.raises(SweepError, match="lr is set by both sweeps a and b"):
        with_sweeps({}, sweeps, ["a", "b"], at)


def test_sweeps_apply_only_when_asked_for_and_cross_each_other():
    assert chosen("{lr: 5, wd: 1}") == [{"lr": 5, "wd": 1}]
    assert chosen("{lr: 5, wd: 1}", "lr") == [{"lr": 1, "wd": 1}, {"lr": 2, "wd": 1}]
    assert len(chosen("{lr: 5}", "lr", "seed")) == 4
    assert len(chosen("{lr: 5, RUNX.ZIP: {x: [1, 2, 3]}, a: 9}", "*")) == 24


def test_a_base_is_merged_key_by_key_and_keeps_its_order():
    weaker, stronger = read("{a: 1, b: 2}")[0], read("{c: 3, a: 4}")[0]
    assert values(laid_over(stronger, weaker)) == [{"a": 4, "b": 2, "c": 3}]


def test_a_list_takes_the_place_of_its_base():
    assert laid_over([{}], {"a": []}) == [{}]


def test_what_a_scripts_configuration_does_not_know_needs_a_plus():
    defaults, _ = read("{lr: 1, optimizer.wd: 2}")
    assert isinstance(defaults, dict)
    hparams, at = read("{lr: 5, +new: 3, RUNX.ZIP: {+x: [1]}, RUNX.TAG: t}")
    assert values(with_defaults(hparams, defaults, at)) == [
        {"lr": 5, "optimizer.wd": 2, "new": 3, "x": 1}
    ]
    with pytest.raises(SweepError, match=r"sweep.yml:1: optimiser.wd is not in CONFIG: did you "):
        with_defaults(read("{optimiser.wd: 1}")[0], defaults, at)


def test_a_list_of_mappings_inherits_a_scripts_configuration_too():
    defaults, at = read("{lr: 1, wd: 2}")
    assert isinstance(defaults, dict)
    hparams = read("[{lr: 3}, {wd: 4}]")[0]
    assert values(with_defaults(hparams, defaults, at)) == [{"lr": 3, "wd": 2}, {"lr": 3, "wd": 4}]


def test_keys_are_found_wherever_they_are_set():
    assert keys(read("[{a: 1, RUNX.ZIP: [{b: [1]}]}, {RUNX.CASES: [{c: 1}, {d: 2}]}]")[0]) == [
        "a",
        "b",
        "c",
        "d",
    ]
