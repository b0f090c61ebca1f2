"""HPARAMS_TYPES: what is read, what it allows, and where what it doesn't allow stands."""

import pytest

from runx.config.mappings import TYPES
from runx.errors import SettingsError, SweepError
from runx.sweeps.hparam_types import (
    KINDS,
    HparamType,
    check,
    check_names,
    completions,
    described,
    read,
)
from runx.sweeps.sweep import points
from runx.sweeps.yaml import parse


def types(text):
    document = parse(f"HPARAMS_TYPES: {text}", "x.yml")
    return read(document.tree["HPARAMS_TYPES"], lambda *path: document.at("HPARAMS_TYPES", *path))


def checked(hparams, said):
    document = parse(hparams, "sweep.yml")
    check(points(document.tree, document.at), types(said), document.tree, document.at)


@pytest.mark.parametrize(
    ("said", "right", "wrong"),
    [
        ("int", ["1", "-3", "0x1F"], ["1.0", "1e3", "true", "x", "'1'", "[[1]]"]),
        ("float", ["1", "1e-3", ".inf"], ["true", "'0.1'", "x"]),
        ("bool", ["true", "False"], ["1", "yes", "'true'"]),
        ("str", ["x", "'1'", "LOGDIR/x"], ["1", "true", "[[a]]"]),
        ("[int]", ["[[1, 2]]", "[[]]"], ["1", "[[1, x]]", "[[[1]]]"]),
        ("{min: 0}", ["0", "0.5"], ["-1", "x", ".nan", "true"]),
        ("{type: float, max: 1}", ["1", "-.inf"], ["1.1", ".nan"]),
        ("{type: [float], min: 0}", ["[[0, 1]]"], ["[[0, -1]]"]),
        ("{choices: [sgd, 1, true]}", ["sgd", "1.0", "true"], ["adam", "'1'", "false"]),
        ("{choices: [[1, 2], [3]]}", ["[[1, 2]]"], ["[[1]]", "1"]),
        ("{type: int, nullable: true}", ["1", "null", "None", "[null]"], ["x"]),
        ("{type: int}", ["1"], ["null", "None"]),
        ("{help: words}", ["x", "1"], ["null"]),
    ],
)
def test_a_value_is_right_or_wrong(said, right, wrong):
    for value in right:
        checked(f"k: {value}", f"{{k: {said}}}")
    for value in wrong:
        with pytest.raises(SweepError, match=r"sweep.yml:1: k: .* \(HPARAMS_TYPES\)"):
            checked(f"k: {value}", f"{{k: {said}}}")


@pytest.mark.parametrize(
    "hparams",
    [
        "a: 1\nlr: [1,\n  bad]",
        "RUNX.ZIP:\n  a: [1, 2]\n  lr: [1, bad]",
        "RUNX.CASES:\n- {lr: 1}\n- {lr: bad}",
        "a: 1\nRUNX.CASES:\n- lr: [bad]",
        "a: 1\nRUNX.ABLATE:\n  lr: [1, bad]",
        "b: bad\na: 1\nlr: '{{ b }}'",
    ],
)
def test_the_line_of_the_wrong_value_is_named(hparams):
    with pytest.raises(SweepError, match=r"^sweep.yml:3: lr: 'bad' is no float"):
        checked(hparams, "{lr: float}")


def test_a_wrong_value_of_a_list_of_grids_is_named_where_it_stands():
    document = parse("- {lr: 1}\n".join(["H:\n", "- {lr: x, RUNX.SKIP: true}\n- {lr: y}\n"]), "s")
    tree, at = document.tree["H"], lambda *path: document.at("H", *path)
    with pytest.raises(SweepError, match=r"lr: 1\.0 is no int"):
        checked("lr: 1.0", "{lr: int}")
    with pytest.raises(SweepError, match=r"^s:4: lr: 'y' is no int"):
        check(points(tree, at), types("{lr: int}"), tree, at)


def test_what_is_skipped_is_not_held_against_it():
    checked("RUNX.SKIP: lr > 2\nlr: [1, 3]", "{lr: {max: 2}}")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{lr: flaot}", "x.yml:1: HPARAMS_TYPES: lr: type takes bool, float, int, str"),
        ("{lr: {typ: int}}", "unknown key typ; did you mean type"),
        ("{lr: {}}", "write float"),
        ("{lr: [int, float]}", "type takes"),
        ("{lr: {min: x}}", "min takes a number"),
        ("{lr: {max: true}}", "max takes a number"),
        ("{lr: {min: 2, max: 1}}", "min is more than max"),
        ("{lr: {type: str, min: 1}}", "a str has no min or max"),
        ("{lr: {choices: []}}", "choices takes a list"),
        ("{lr: {choices: sgd}}", "choices takes a list"),
        ("{lr: {nullable: 3}}", "nullable takes true or false"),
        ("{lr: {help: [a]}}", "help takes a text"),
    ],
)
def test_what_is_no_type_is_refused(said, message):
    with pytest.raises(SettingsError, match=message):
        types(said)


def test_a_name_that_no_run_has_is_refused_with_the_nearest():
    with pytest.raises(SettingsError, match=r"x.yml:3: .*no run has lrr; did you mean lr\?"):
        check_names({"lrr": "x.yml:3"}, ["lr", "opt"])


def test_a_type_is_described_for_people_and_for_the_shell():
    assert described(HparamType("float", min=0, max=1, help="rate").json()) == (
        "rate (float, at least 0, at most 1)"
    )
    assert described(HparamType("int", is_list=True).json()) == "list of int"
    assert described(HparamType(choices=("a", 1), nullable=True).json()) == "one of a, 1, or null"
    assert completions(HparamType(choices=("a", 1, True, "x y"))) == ["a", "1", "true"]
    assert completions(HparamType("bool")) == ["true", "false"]


def test_the_schema_knows_the_types():
    assert set(TYPES.schema["additionalProperties"]["anyOf"][0]["enum"]) == KINDS.keys()
