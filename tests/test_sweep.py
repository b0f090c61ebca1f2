"""HPARAMS to points, and what is said of HPARAMS that can't be."""

from __future__ import annotations

from functools import partial
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.sweep import points, size, warnings
from runx.types import Hparam, Point
from runx.yamltext import Document, parse


def document(hparams: str) -> Document:
    indented = "".join(f"  {line}\n" for line in hparams.splitlines())
    return parse(f"HPARAMS:\n{indented}" if indented else "HPARAMS: {}", "sweep.yml")


def expand(hparams: str, tag: str = "") -> list[Point]:
    read = document(hparams)
    where = partial(read.at, "HPARAMS")
    return list(points(read.tree["HPARAMS"], where, tag))


def values(hparams: str) -> list[dict[str, object]]:
    return [{hparam.name: hparam.value for hparam in point.hparams} for point in expand(hparams)]


@pytest.mark.parametrize(
    ("hparams", "told"),
    [
        ("lr: []", "sweep.yml:2: lr has no values"),
        ("- lr: 1\n- 3", "sweep.yml:3: an item of HPARAMS is no mapping"),
        ("[]", "sweep.yml:1: HPARAMS is neither"),
        ("opt:\n  lr: 1\n  wd: {x: 1, y: 2}", "sweep.yml:2: opt: nested parameters are"),
        ("opt: {}", "sweep.yml:2: opt: nested parameters are written with dots: opt.key"),
        ("lr: {logspce: [1, 2, 3]}", "sweep.yml:2: lr: logspce is no operator"),
        ("a: [{b: 1}]", "sweep.yml:2: a: a value can't be a mapping"),
        ("a: [[{b: 1}]]", "sweep.yml:2: a: a value can't be a mapping"),
        ("a: 1\nRUNX.TGA: x", "sweep.yml:3: RUNX.TGA is unknown: did you mean RUNX.TAG?"),
        ("SUBMIT_JOB.: 2", "sweep.yml:2: 'SUBMIT_JOB.' names nothing"),
        ("arch: x\nRUNX.TAG: '{arhc}'", "sweep.yml:3: {arhc} is no hyperparameter: did you mean"),
        ("arch: x\nRUNX.TAG: '{}'", "sweep.yml:3: {} is no hyperparameter: known are: arch"),
        ('a: "\\0"', "sweep.yml:2: a holds a NUL"),
    ],
)  # fmt: skip
def test_what_is_no_sweep_is_refused_with_its_line_and_the_remedy(hparams, told):
    with pytest.raises(SweepError) as caught:
        expand(hparams)
    assert str(caught.value).startswith(told)


def test_a_mistake_is_found_before_the_first_point_is_given():
    read = document("- a: 1\n- a: []")
    with pytest.raises(SweepError, match=r"sweep\.yml:3"):
        points(read.tree["HPARAMS"], partial(read.at, "HPARAMS"))


def test_the_last_key_is_the_fastest():
    assert values("a: [1, 2]\nb: [x, y]") == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_a_value_given_twice_is_two_runs():
    assert values("lr: [0.1, 0.1]") == [{"lr": 0.1}, {"lr": 0.1}]


def test_no_hyperparameters_are_one_run():
    assert expand("") == [Point(())]


def test_a_list_in_a_list_is_one_value():
    (point,) = expand("sizes: [[1, 010, x]]")
    assert point.hparams == (Hparam("sizes", (1, 10, "x"), ("1", "010", "x")),)


def test_a_list_in_such_a_list_is_written_as_yaml_writes_it():
    (point,) = expand("sizes: [[[1, 2], [null, true]]]")
    assert point.hparams == (Hparam("sizes", ((1, 2), (None, True)), ("[1,2]", "[null,true]")),)


def test_a_number_keeps_its_text_and_has_its_value():
    (point,) = expand("lr: 1e-3")
    assert point.hparams == (Hparam("lr", 0.001, "1e-3"),)


@pytest.mark.parametrize("text", ["None", "null", "~", ""])
def test_none_leaves_a_parameter_out(text):
    assert expand(f"a: {text}")[0].hparams == (Hparam("a", None, None),)


def test_a_quoted_none_is_text():
    assert expand("a: 'None'")[0].hparams == (Hparam("a", "None", "None"),)


def test_truth_values_have_no_text_and_quoted_ones_are_text():
    assert expand("a: True\nb: false\nc: 'True'")[0].hparams == (
        Hparam("a", True, None),
        Hparam("b", False, None),
        Hparam("c", "True", "True"),
    )


def test_later_mappings_inherit_from_the_first_and_keep_its_order():
    assert values("- a: 1\n  b: 2\n- b: 3\n  c: 4\n- {}") == [
        {"a": 1, "b": 2},
        {"a": 1, "b": 3, "c": 4},
        {"a": 1, "b": 2},
    ]


def test_a_skipped_first_mapping_is_a_pure_base():
    assert values("- a: 1\n  RUNX.SKIP: true\n- b: 2\n- b: 3") == [
        {"a": 1, "b": 2},
        {"a": 1, "b": 3},
    ]


def test_a_tag_is_inherited_and_does_not_leak_from_its_siblings():
    tags = [point.tag for point in expand("- RUNX.TAG: base\n- RUNX.TAG: own\n- a: 1")]
    assert tags == ["base", "own", "base"]


def test_skip_may_be_an_axis():
    assert len(expand("a: [1, 2]\nRUNX.SKIP: [true, false]")) == 2


def test_a_tag_is_filled_with_the_texts_of_its_point():
    found = expand("RUNX.TAG: '{arch}-{lr}-{amp}'\narch: [a/b, c]\nlr: 1e-3\namp: True")
    assert [point.tag for point in found] == ["a/b-1e-3-True", "c-1e-3-True"]
    assert [len(point.hparams) for point in found] == [3, 3]


def test_a_tag_may_be_an_axis():
    assert [point.tag for point in expand("RUNX.TAG: [x, y]")] == ["x", "y"]


def test_the_default_tag_is_for_points_that_name_none():
    assert [point.tag for point in expand("- a: 1\n- RUNX.TAG: own", tag="given")] == [
        "given",
        "own",
    ]


def test_what_begins_with_submit_job_is_a_resource_and_not_for_the_script():
    found = expand("SUBMIT_JOB.NODES: [1, 2]\nSUBMIT_JOB.PARTITION: long\na: 1")
    assert [point.resources for point in found] == [
        (("nodes", 1), ("partition", "long")),
        (("nodes", 2), ("partition", "long")),
    ]
    assert all(point.hparams == (Hparam("a", 1, "1"),) for point in found)


def test_a_resource_keeps_a_text_that_its_number_would_lose():
    (point,) = expand("SUBMIT_JOB.TIME: 010\nSUBMIT_JOB.MEM: 4:00:00")
    assert point.resources == (("time", "010"), ("mem", "4:00:00"))


def test_points_share_their_hyperparameters():
    found = expand("a: [1, 2]\nb: [3, 4]")
    assert found[0].hparams[0] is found[1].hparams[0]


def test_expanding_leaves_the_document_as_it_was():
    read = document("- a: [1, 2]\n  RUNX.SKIP: true\n- b: 3")
    before = repr(read.tree)
    list(points(read.tree["HPARAMS"], read.at))
    assert repr(read.tree) == before


def test_a_value_that_a_shell_would_change_draws_a_warning_and_stays():
    read = document("data: [$HOME/data, ~/data, a~b, 5$]\nmore: '${SCRATCH}'")
    assert warnings(read.tree["HPARAMS"], partial(read.at, "HPARAMS")) == [
        "sweep.yml:2: data: $HOME reaches the script as written; {{ env.HOME }} fills it in",
        "sweep.yml:2: data: ~ reaches the script as written; {{ env.HOME }} fills it in",
        "sweep.yml:3: more: $SCRATCH reaches the script as written; {{ env.SCRATCH }} fills it in",
    ]


@given(st.lists(st.integers(1, 4), max_size=5))
def test_the_size_of_a_product_is_the_product_of_sizes(lengths):
    hparams = "\n".join(f"k{i}: {list(range(n))}" for i, n in enumerate(lengths))
    read = document(hparams)
    where = partial(read.at, "HPARAMS")
    found = list(points(read.tree["HPARAMS"], where))
    assert len(found) == size(read.tree["HPARAMS"], where) == prod(lengths)
    assert len(set(found)) == len(found)
