"""HPARAMS to points, and the errors of HPARAMS that are no sweep."""

from __future__ import annotations

from functools import partial
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SweepError
from runx.sweeps.grid import SweepContext
from runx.sweeps.summary import names, skipped
from runx.sweeps.sweep import points
from runx.sweeps.sweep import read as sweep_of
from runx.sweeps.values import Hparam, Point
from runx.sweeps.yaml import Document, parse

CONTEXT = SweepContext(samples=5, seed=0, environment={"HOME": "/home/me"}, experiment="sweep")


def document(hparams: str) -> Document:
    indented = "".join(f"  {line}\n" for line in hparams.splitlines())
    return parse(f"HPARAMS:\n{indented}" if indented else "HPARAMS: {}", "sweep.yml")


def expand(hparams: str, tag: str = "", context: SweepContext = CONTEXT) -> list[Point]:
    read = document(hparams)
    where = partial(read.at, "HPARAMS")
    sweep = sweep_of(read.tree["HPARAMS"], where, context)
    expanded = list(sweep.points(tag))
    assert len(expanded) == sweep.size - sum(skipped(sweep).values())
    assert {hparam.name for point in expanded for hparam in point.hparams} <= set(names(sweep))
    return expanded


def values(hparams: str, context: SweepContext = CONTEXT) -> list[dict[str, object]]:
    expanded = expand(hparams, context=context)
    return [{hparam.name: hparam.value for hparam in point.hparams} for point in expanded]


@pytest.mark.parametrize(
    ("hparams", "message"),
    [
        ("lr: []", "sweep.yml:2: lr has no values"),
        ("- lr: 1\n- 3", "sweep.yml:3: an item of HPARAMS is no mapping"),
        ("[]", "sweep.yml:1: HPARAMS is neither"),
        ("opt:\n  lr: 1\n  wd: {x: 1, y: 2}", "sweep.yml:2: opt: nested parameters are"),
        ("opt: {}", "sweep.yml:2: opt: nested parameters are written with dots: opt.key"),
        ("lr: {logspce: [1, 2, 3]}", "sweep.yml:2: lr: logspce is no operator, did you"),
        ("a: [{b: 1}]", "sweep.yml:2: a: a value can't be a mapping"),
        ("a: [[{b: 1}]]", "sweep.yml:2: a: a value can't be a mapping"),
        ("a: 1\nRUNX.TGA: x", "sweep.yml:3: RUNX.TGA is unknown: did you mean RUNX.TAG?"),
        ("SUBMIT_JOB.: 2", "sweep.yml:2: 'SUBMIT_JOB.' names nothing"),
        ("arch: x\nRUNX.TAG: '{arhc}'", "sweep.yml:3: {arhc} is no hyperparameter: did you mean"),
        ("arch: x\nRUNX.TAG: '{}'", "sweep.yml:3: {} is no hyperparameter: known are: arch"),
        ("a: {logspace: [1, 2]}", "sweep.yml:2: a: logspace takes [first, last, count], numbers"),
        ("a: {repeat: 3, x: 1}", "sweep.yml:2: a: repeat stands alone; remove x"),
        ("a: 1\nRUNX.ZIP: [1]", "sweep.yml:3: RUNX.ZIP takes a mapping of lists"),
        ("RUNX.ZIP: {a: [1, 2], b: [1, 2, 3]}", "sweep.yml:2: RUNX.ZIP: a has 2 values, b has 3"),
        ("RUNX.ZIP: {a: {uniform: [0, 1]}}", "sweep.yml:2: a: uniform can't stand here"),
        ("a: 1\nRUNX.ZIP: {a: [1, 2]}", "sweep.yml:3: a is set twice, by a and RUNX.ZIP"),
        ("RUNX.CASES: [{a: 1}, 3]", "sweep.yml:2: RUNX.CASES takes mappings"),
        ("RUNX.CASES: {a: 1}", "sweep.yml:2: RUNX.CASES takes a list"),
        ("RUNX.CASES: [{RUNX.SKIP: a > 1}]", "sweep.yml:2: an expression in RUNX.SKIP stands"),
        ("a: {uniform: [2, 1]}", "sweep.yml:2: a: uniform takes [low, high], the lower first"),
        ("a: 1\nRUNX.SKIP: aa > 1", "sweep.yml:3: RUNX.SKIP: aa > 1: column 1: aa is unknown"),
        ("a: x\nRUNX.SKIP: a > 1", "sweep.yml:3: RUNX.SKIP: a > 1: column 1: 'x' can't be"),
        ("a: '{{ b }}'", "sweep.yml:2: a: b: column 1: b is unknown"),
        ("a: '{{ b'\nb: 1", "sweep.yml:2: a: {{ b: a {{ is never closed"),
        ("a: '{{ env.NOPE }}'", "sweep.yml:2: a: NOPE is not set in the environment"),
        ("a: '{{ b }}'\nb: '{{ c }}'\nc: '{{ a }}'", "sweep.yml:2: a needs b needs c needs a"),
        ("a: '{{ a }}'", "sweep.yml:2: a needs a"),
        ("a: '{{ 1 / b }}'\nb: [1, 0]", "sweep.yml:2: a: 1 / b: column 1: division by zero"),
        ('a: "\\0"', "sweep.yml:2: a holds a NUL"),
    ],
)  # fmt: skip
def test_what_is_no_sweep_is_refused_with_its_line_and_the_remedy(hparams, message):
    with pytest.raises(SweepError) as caught:
        expand(hparams)
    assert str(caught.value).startswith(message)


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
    expanded = expand("RUNX.TAG: '{arch}-{lr}-{amp}'\narch: [a/b, c]\nlr: 1e-3\namp: True")
    assert [point.tag for point in expanded] == ["a/b-1e-3-True", "c-1e-3-True"]
    assert [len(point.hparams) for point in expanded] == [3, 3]


def test_a_tag_may_be_an_axis():
    assert [point.tag for point in expand("RUNX.TAG: [x, y]")] == ["x", "y"]


def test_the_default_tag_is_for_points_that_name_none():
    assert [point.tag for point in expand("- a: 1\n- RUNX.TAG: own", tag="given")] == [
        "given",
        "own",
    ]


def test_what_begins_with_submit_job_is_a_resource_and_not_for_the_script():
    expanded = expand("SUBMIT_JOB.NODES: [1, 2]\nSUBMIT_JOB.PARTITION: long\na: 1")
    assert [point.resources for point in expanded] == [
        (("nodes", 1), ("partition", "long")),
        (("nodes", 2), ("partition", "long")),
    ]
    assert all(point.hparams == (Hparam("a", 1, "1"),) for point in expanded)


def test_a_resource_keeps_a_text_that_its_number_would_lose():
    (point,) = expand("SUBMIT_JOB.TIME: 010\nSUBMIT_JOB.MEM: 4:00:00")
    assert point.resources == (("time", "010"), ("mem", "4:00:00"))


def test_points_share_their_hyperparameters():
    expanded = expand("a: [1, 2]\nb: [3, 4]")
    assert expanded[0].hparams[0] is expanded[1].hparams[0]


def test_expanding_leaves_the_document_as_it_was():
    read = document("- a: [1, 2]\n  RUNX.SKIP: true\n- b: 3")
    before = repr(read.tree)
    list(points(read.tree["HPARAMS"], read.at))
    assert repr(read.tree) == before


@given(st.lists(st.integers(1, 4), max_size=5))
def test_the_size_of_a_product_is_the_product_of_sizes(lengths):
    hparams = "\n".join(f"k{i}: {list(range(n))}" for i, n in enumerate(lengths))
    read = document(hparams)
    where = partial(read.at, "HPARAMS")
    expanded = list(points(read.tree["HPARAMS"], where))
    assert len(expanded) == sweep_of(read.tree["HPARAMS"], where).size == prod(lengths)
    assert len(set(expanded)) == len(expanded)


def test_zipped_values_go_together_and_cross_the_rest():
    expanded = values("RUNX.ZIP: {arch: [s, l], batch: {linspace: [64, 16, 2]}}\nseed: [0, 1]")
    assert expanded == [
        {"arch": "s", "batch": 64, "seed": 0},
        {"arch": "s", "batch": 64, "seed": 1},
        {"arch": "l", "batch": 16, "seed": 0},
        {"arch": "l", "batch": 16, "seed": 1},
    ]


def test_two_zips_cross_each_other():
    assert len(expand("RUNX.ZIP: [{a: [1, 2], b: [1, 2]}, {c: [1, 2, 3]}]")) == 6


def test_cases_are_points_with_keys_of_their_own():
    assert values("RUNX.CASES:\n- {opt: sgd, lr: 0.1}\n- {opt: adam, beta: [0.9, 0.99]}") == [
        {"opt": "sgd", "lr": 0.1},
        {"opt": "adam", "beta": 0.9},
        {"opt": "adam", "beta": 0.99},
    ]


def test_a_case_may_have_a_tag_and_resources():
    (one, other) = expand("RUNX.CASES:\n- {a: 1, RUNX.TAG: 'x{a}'}\n- {a: 2, SUBMIT_JOB.NODES: 2}")
    assert (one.tag, one.resources) == ("x1", ())
    assert (other.tag, other.resources) == ("", (("nodes", 2),))


def test_random_axes_are_drawn_together_and_cross_the_rest():
    expanded = values("lr: {loguniform: [1e-4, 1]}\nopt: [sgd, adam]\nwd: {uniform: [0, 1]}")
    assert len(expanded) == 10
    assert list(expanded[0]) == ["lr", "wd", "opt"]
    assert len({point["lr"] for point in expanded}) == 5
    assert len({(point["lr"], point["wd"]) for point in expanded}) == 5


def test_a_random_axis_without_samples_says_what_to_write():
    with pytest.raises(SweepError, match="lr is drawn at random; write SAMPLES: 20 by HPARAMS"):
        expand("lr: {uniform: [0, 1]}", context=SweepContext())


def test_an_axis_draws_the_same_whatever_stands_beside_it():
    alone = values("lr: {uniform: [0, 1]}")
    more = values("wd: {normal: [0, 1]}\nlr: {uniform: [0, 1]}")
    assert [point["lr"] for point in alone] == [point["lr"] for point in more]


def test_an_expression_skips_what_it_is_true_of_and_is_counted():
    read = document("RUNX.SKIP: 'batch * nodes > 64'\nbatch: [16, 64]\nnodes: [1, 4]")
    sweep = sweep_of(read.tree["HPARAMS"], partial(read.at, "HPARAMS"))
    assert skipped(sweep) == {"batch * nodes > 64": 1}
    assert values("RUNX.SKIP: [a > 2, b == 'x']\na: [1, 2, 3]\nb: [x, y]") == [
        {"a": 1, "b": "y"},
        {"a": 2, "b": "y"},
    ]


def test_a_parameter_that_a_point_lacks_skips_nothing():
    text = "RUNX.SKIP: beta > 0.5\nRUNX.CASES: [{opt: sgd}, {opt: adam, beta: 0.9}]"
    assert values(text) == [{"opt": "sgd"}]


def test_a_computed_value_alone_is_typed_and_else_is_text():
    (point,) = expand(
        "epochs: 100\nwarmup: '{{ epochs // 10 }}'\nlr: '{{ 0.1 * 3 }}'\n"
        "amp: '{{ epochs > 3 }}'\nwd: 1e-4\nout: LOGDIR/{{ wd }}-{{ warmup }}\nx: '{{ none }}'"
    )
    assert point.hparams[1:] == (
        Hparam("warmup", 10, "10"),
        Hparam("lr", 0.3, "0.3"),
        Hparam("amp", True, None),
        Hparam("wd", 0.0001, "1e-4"),
        Hparam("out", "LOGDIR/1e-4-10", "LOGDIR/1e-4-10"),
        Hparam("x", None, None),
    )


def test_computed_values_may_stand_in_any_order_and_name_what_is_around_them():
    (point,) = expand("c: '{{ b * 2 }}'\nb: '{{ a + 1 }}'\na: 1\nd: '{{ env.HOME }}/x'\n"
                      "e: '{{ experiment.name }}-{{ run.index }}'")  # fmt: skip
    assert [hparam.text for hparam in point.hparams] == ["4", "2", "1", "/home/me/x", "sweep-0"]


def test_a_computed_value_may_stand_in_a_list_a_case_a_tag_and_a_resource():
    (point,) = expand(
        "b: 0.5\nbetas: [['{{ b / 2 }}', 1e-3]]\nRUNX.TAG: '{{ b * 2 }}-{b}'\n"
        "SUBMIT_JOB.NODES: '{{ 4 // 2 }}'\nRUNX.CASES: [{x: '{{ b }}'}]\nRUNX.SKIP: x > 1"
    )
    assert (point.tag, point.resources) == ("1-0.5", (("nodes", 2),))
    assert point.hparams[1:] == (
        Hparam("betas", (0.25, 0.001), ("0.25", "1e-3")),
        Hparam("x", 0.5, "0.5"),
    )


def test_runs_are_numbered_through_all_mappings_of_a_list():
    expanded = values("- a: [1, 2]\n  i: '{{ run.index }}'\n- a: 3")
    assert [point["i"] for point in expanded] == [0, 1, 2]


def test_a_sweep_is_a_pure_function_of_its_file_samples_and_seed():
    text = "lr: {normal: [0, 1]}\nopt: {choice: [a, b]}"
    assert expand(text) == expand(text)
    assert expand(text) != expand(text, context=CONTEXT._replace(seed=1))
