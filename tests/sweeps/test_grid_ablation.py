"""RUNX.ABLATE: a baseline, and each other value alone; and several lists of cases, which cross."""

import pytest

from runx.errors import SweepError
from runx.sweeps.merge import with_key
from runx.sweeps.sweep import points, read
from runx.sweeps.values import Ablation
from runx.sweeps.yaml import parse, parse_value


def expand(text):
    document = parse(text, "sweep.yml")
    return list(points(document.tree, document.at))


def values(text):
    return [{each.name: each.value for each in point.hparams} for point in expand(text)]


def test_every_other_value_is_tried_alone_and_crossed_with_the_rest():
    got = expand("RUNX.ABLATE: {aug: [true, false], width: [256, 64, 32]}\nseed: [0, 1]")
    assert [tuple(each.value for each in point.hparams) for point in got] == [
        (aug, width, seed)
        for aug, width in ((True, 256), (False, 256), (True, 64), (True, 32))
        for seed in (0, 1)
    ]
    assert [point.ablation.changed for point in got[::2]] == ["", "aug", "width", "width"]
    assert {point.ablation.baseline for point in got} == {(("aug", True), ("width", 256))}


def test_what_the_baseline_computes_is_that_of_each_run():
    got = expand("RUNX.ABLATE: {w: ['{{ seed * 2 }}', 7], s: [[1, 2], [3]]}\nseed: [1, 2]")
    assert got[0].ablation == Ablation("", (("w", 2), ("s", (1, 2))))
    assert got[-1].ablation == Ablation("s", (("w", 4), ("s", (1, 2))))


def test_an_ablation_stands_in_a_case_and_in_an_item_of_a_list_too():
    assert values("RUNX.CASES: [{m: 1, RUNX.ABLATE: {q: [1, 2]}}, {m: 2}]") == [
        {"m": 1, "q": 1},
        {"m": 1, "q": 2},
        {"m": 2},
    ]
    inherited = "HPARAMS:\n- {lr: 0.1, seed: 0}\n- {RUNX.ABLATE: {lr: [1, 2]}}"
    document = parse(inherited, "sweep.yml")
    got = list(points(document.tree["HPARAMS"], document.at))
    assert [{each.name: each.value for each in point.hparams} for point in got] == [
        {"lr": 0.1, "seed": 0},
        {"seed": 0, "lr": 1},
        {"seed": 0, "lr": 2},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nRUNX.ABLATE: {a: [1, 2]}", "a is set twice, by a and RUNX.ABLATE"),
        ("RUNX.ABLATE: {a: [1]}", "a takes the baseline's value and others to try"),
        ("RUNX.ABLATE: {a: 1}", "a takes the baseline's value and others to try"),
        ("RUNX.ABLATE: {a: [1, 1.0]}", "all unlike"),
        ("RUNX.ABLATE: [a]", "takes a mapping of lists"),
        ("RUNX.ABLATE: {}", "takes a mapping of lists"),
        ("RUNX.ABLATE: {a: {uniform: [0, 1]}}", "uniform can't stand here"),
        ("RUNX.ABLATE: {a: [1, 2]}\nRUNX.CASES: [{RUNX.ABLATE: {b: [1, 2]}}]", "is set twice"),
        ("RUNX.ABLATE: {a: [true, 1]}\nRUNX.CASES: 3", "RUNX.CASES takes a list"),
        ("RUNX.CASES: [[{a: 1}], {a: 2}]", "RUNX.CASES takes a list"),
        ("RUNX.CASES: [[{a: 1}], [{a: 2}]]", "a is set twice"),
    ],
)
def test_what_is_no_ablation_or_no_cases_is_refused_with_its_line(text, message):
    with pytest.raises(SweepError, match=rf"^sweep.yml:\d+: .*{message}"):
        expand(text)


def test_a_skipped_change_is_left_out():
    got = expand("RUNX.SKIP: a == 2 and seed == 1\nRUNX.ABLATE: {a: [1, 2]}\nseed: [0, 1]")
    assert len(got) == 3


def test_an_override_fixes_what_was_to_be_tried():
    tree = parse("RUNX.ABLATE: {a: [1, 2], b: [3, 4]}", "x").tree
    fixed = with_key(tree, "a", parse_value("5", "x"))
    assert read(fixed, str).size == 2
    assert "RUNX.ABLATE" not in with_key(fixed, "b", parse_value("6", "x"))


def test_several_lists_of_cases_cross():
    assert values("RUNX.CASES: [[{a: 1}, {a: 2}], [{b: 3, c: [4, 5]}]]") == [
        {"a": a, "b": 3, "c": c} for a in (1, 2) for c in (4, 5)
    ]
    with pytest.raises(SweepError, match=r"^sweep.yml:4: .*takes mappings"):
        expand("RUNX.CASES:\n- - a: 1\n- - b: 2\n  - 3\n")


@pytest.mark.parametrize("name", ["-v", "--f", "---x", "-"])
def test_a_name_with_dashes_is_refused_with_the_two_ways_out(name):
    with pytest.raises(
        SweepError, match=r"sweep.yml:1: .*has no dashes before it: write .* in CMD"
    ):
        expand(f"'{name}': 1")
    with pytest.raises(SweepError, match="has no dashes before it"):
        expand(f"RUNX.ZIP: {{'{name}': [1]}}")


def test_values_of_other_tools_get_the_way_to_write_them_here():
    with pytest.raises(SweepError, match=r"lr: this is another tool's; write lr: \[0.1, 0.2\]"):
        expand("lr: {values: [0.1, 0.2]}")
    with pytest.raises(SweepError, match=r"tool's; write lr: {uniform: \[0, 1\]}"):
        expand("lr: {min: 0, max: 1, distribution: uniform}")
    with pytest.raises(SweepError, match=r"written with dots: opt.min, opt.lr"):
        expand("opt: {min: 0, lr: 1}")
