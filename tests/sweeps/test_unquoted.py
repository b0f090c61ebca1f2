"""Values that NVIDIA's runx, which quoted nothing, gave to a script as other words."""

from __future__ import annotations

import pytest

from runx.sweeps.unquoted import unquoted
from runx.sweeps.yaml import parse


def told(text, placed=()):
    document = parse(text, "s.yml")
    return unquoted(document.tree, document.at, placed)


def test_a_value_with_blanks_is_told_once_a_key_with_the_ways_out():
    [line] = told("m: 'audio video fusion'\nn: 1")
    assert line.startswith("s.yml:1: m: 'audio video fusion' is one word for the script")
    assert "made 3 of it" in line
    assert "[[audio, video, fusion]], RUNX.CASES, or ARGS: {split: true}" in line
    assert len(told("config: ['x', 'x --flag --key k', 'y --flag']")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "a: x y",
        "a: [1, x y]",
        "a: '\"x\"'",
        r"a: 'x\y'",
        "a: {choice: [x y, z]}",
        "RUNX.CASES: [{b: 1}, {a: [x y]}]",
        "RUNX.ZIP: {a: [x y], b: [1]}",
        "RUNX.ZIP: [{a: [x y], b: [1]}]",
    ],
)
def test_wherever_the_value_stands(text):
    assert len(told(text)) == 1
    assert told(text, ("a",)) == []


@pytest.mark.parametrize(
    "text",
    [
        "a: xy",
        "a: it's so",
        "a: x; y",
        "a: f (x)",
        'a: "x\\ny z"',
        "a: [[x y, z]]",
        "a: '{{ b + c }}'",
        "RUNX.TAG: x y",
        "RUNX.SKIP: b > 1",
        "SUBMIT_JOB.NODES: 1 2",
        "a: true",
    ],
)
def test_what_no_sweep_relied_on_is_not_told(text):
    assert told(text) == []
