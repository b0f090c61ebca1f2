"""What is computed stays small: text, lists and numbers, however they are made."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.errors import RunxError, SweepError
from runx.sweeps import yaml
from runx.sweeps.expressions import parse
from runx.sweeps.grid import SweepContext
from runx.sweeps.sweep import read

DIGITS = "9" * 5000
STEPS = [
    "{{ LAST + LAST }}",
    "{{ (LAST, LAST) }}",
    "{{ [LAST, 1, LAST] }}",
    "{{ LAST }}{{ LAST }}",
    "x{{ LAST }}y{{ LAST }}z",
    "{{ str((LAST, LAST)) }}",
    "{{ (LAST,) }}",
    "{{ LAST * LAST if LAST else 2 }}",
]


def points(text, samples=0):
    tree = yaml.parse(text, "sweep.yml")
    context = SweepContext(samples=samples)
    return list(read(tree.tree, tree.at, context).points())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", ["xxxx", "[[1, 2]]", "3"])
def test_a_chain_of_computed_values_ends_in_an_error_that_names_the_key(step, first):
    if (step, first) == (STEPS[0], "3"):
        return  # 3 * 2 ** 200 is a number like others.
    lines = [f"a0: {first}"]
    lines += [f'a{n}: "{step.replace("LAST", f"a{n - 1}")}"' for n in range(1, 200)]
    began = time.monotonic()
    with pytest.raises(SweepError, match=r"\Asweep.yml:\d+: a\d+: [^\n]*\Z") as caught:
        points("\n".join(lines))
    assert len(str(caught.value)) < 500
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        f"{{{{ {DIGITS} }}}}",
        f"{{{{ int('{DIGITS}') }}}}",
        "{{ 10**1000 * 10**1000 }}",
        "{{ 10**(10**8) }}",
        "{{ 2**4000 * 2.5 }}",
        "{{ int(1e308 * 10) }}",
        "{{ round(1e308 * 10) }}",
        "{{ 10.0**400 }}",
        "{{ 1 / 0 }}",
        "{{ float('1e999') // 0 }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_numbers_beyond_measure_are_one_line(text):
    with pytest.raises(SweepError, match=r"\Asweep.yml:1: a: [^\n]*\Z") as caught:
        points(f'a: "{text}"')
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "{range: [0, 1e308, 1]}",
        "{linspace: [-1.7e308, 1.7e308, 5]}",
        "{logspace: [1e-300, 1e300, 5]}",
        "{uniform: [-1.7e308, 1.7e308]}",
        "{linspace: [0, 1e400, 3]}",
        f"{{randint: [0, {DIGITS}]}}",
        f"{{range: {DIGITS[:3000]}}}",
        "{repeat: 1e18}",
    ],
)
def test_operators_refuse_numbers_beyond_measure(text):
    with pytest.raises(SweepError, match=r"\Asweep.yml:1: a: [^\n]*\Z"):
        points(f"a: {text}", samples=2)


def test_no_more_is_drawn_than_could_ever_run():
    with pytest.raises(SweepError, match="uniform gives 999999999 values; 1000000 are the most"):
        points("a: {uniform: [0, 1]}", samples=999_999_999)


@pytest.mark.parametrize("text", [DIGITS, f"0x{DIGITS}", f"-{DIGITS}"])
def test_a_number_of_thousands_of_digits_is_text(text):
    assert points(f"a: {text}")[0].hparams[0].value == text


ATOMS = ["a", "b", "t", "'x'", "(1, 2)", "7", "1e300", "10**300", "-2", "none", "'é' ", "[]"]
JOINS = [" + ", " * ", " ** ", " // ", " % ", " - ", " < ", " in ", " if a else ", "[", "](", ", "]
CALLS = ["str(", "len(", "int(", "round(", "max(", "abs(", "float(", "log(", "(", "[", ")", "]"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*ATOMS, *JOINS, *CALLS]), max_size=14).map("".join))
def test_any_expression_has_a_value_or_an_error_of_one_line(text):
    values = {"a": 3, "b": 0.5, "t": ("x", (1, None))}
    try:
        parse(text, values).evaluate(values)
    except RunxError as error:
        assert "\n" not in str(error)
