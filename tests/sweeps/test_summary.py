"""The summary of a sweep: its names, its axes, what varies and what is skipped."""

from __future__ import annotations

from functools import partial

import pytest

from runx.sweeps.grid import SweepContext
from runx.sweeps.summary import axes, names, repeats, skipped, varying
from runx.sweeps.sweep import Sweep, read
from runx.sweeps.yaml import parse


def sweep(hparams: str) -> Sweep:
    document = parse("HPARAMS:\n" + "".join(f"  {line}\n" for line in hparams.split("\n")), "x")
    return read(document.tree["HPARAMS"], partial(document.at, "HPARAMS"), SweepContext(samples=3))


@pytest.mark.parametrize(
    ("hparams", "expected"),
    [
        ("lr: [1, 2]\nopt: sgd", ["lr"]),
        ("lr: [0.1, 0.1]", []),
        ("lr: [1, 2]\nwarmup: '{{ lr * 2 }}'\nhalf: '{{ warmup / 2 }}'\nx: '{{ 3 }}'",
         ["lr", "warmup", "half"]),
        ("lr: [1, 2]\nport: '{{ 8000 + run.index }}'", ["lr", "port"]),
        ("port: '{{ 8000 + run.index }}'", []),
        ("- {a: 1, b: 2, RUNX.SKIP: true}\n- {c: 3, b: 3}\n- {c: 4, b: 3}", ["c"]),
        ("RUNX.CASES: [{opt: sgd}, {opt: adam, beta: 0.9}]", ["opt", "beta"]),
        ("lr: {uniform: [0, 1]}", ["lr"]),
        ("a: [1, 1.0]", ["a"]),
        ("a: [null, None]", []),
    ],
)  # fmt: skip
def test_what_varies_is_not_the_same_in_every_run(hparams, expected):
    assert varying(sweep(hparams)) == expected


def test_all_names_are_listed_once_in_the_order_of_the_file():
    assert names(sweep("- a: 1\n  SUBMIT_JOB.NODES: 2\n  RUNX.TAG: x\n- b: 1\n  a: 2")) == [
        "a",
        "SUBMIT_JOB.NODES",
        "b",
    ]


def test_what_is_skipped_is_counted_by_the_expression_that_skips_it():
    three = sweep("RUNX.SKIP: [a > 2, a > 1]\na: [1, 2, 3]")
    assert skipped(three) == {"a > 1": 1, "a > 2": 1}
    assert skipped(sweep("a: 1\nRUNX.SKIP: true")) == {"true": 1}
    assert skipped(sweep("a: [1, 2]")) == {}


def test_axes_are_shown_with_their_texts():
    (shown,) = axes(sweep("lr: {logspace: [1e-3, 1e-1, 3]}\nsizes: [[1, 2]]\nb: [true, null]"))
    assert shown == [
        (("lr",), ("0.001", "0.01", "0.1")),
        (("sizes",), ("[1, 2]",)),
        (("b",), ("true", "None")),
    ]


def test_what_goes_together_is_one_axis_and_a_base_is_none():
    (shown,) = axes(sweep("- RUNX.SKIP: true\n  a: [1, 2]\n- RUNX.CASES: [{b: 1}, {c: [2, 3]}]"))
    assert shown[1] == (("b", "c"), ("b=1", "c=2", "c=3"))


def test_points_that_are_equal_are_counted_whatever_their_text_or_order():
    assert repeats(sweep("a: [1, 1.0, 1e0, '1', true, .nan, .nan]").points()) == 3
    assert repeats(sweep("- {a: 1, b: 2}\n- {b: 2}").points()) == 1
    assert repeats(sweep("RUNX.CASES: [{a: 1, b: 2}, {b: 2, a: 1, c: null}]").points()) == 1
