"""Expressions and their answers, to which both Python's evaluator and the page's are held."""

import json
import math
from pathlib import Path

import pytest
from javascript import node

from runx.analysis.question import Question
from runx.analysis.table import chosen
from runx.errors import ExpressionError
from runx.rundir.paths import RunDir
from runx.rundir.run import RunRecord
from runx.rundir.state import State
from runx.sweeps.expressions import parse

FILE = Path(__file__).with_name("expressions_cases.json")
TABLE = json.loads(FILE.read_text(encoding="utf-8"))
NAMES = {**TABLE["names"], **{name: float(text) for name, text in TABLE["floats"].items()}}
KNOWN = [*NAMES, *TABLE["missing"]]
CASES = TABLE["cases"]
MODULES = ["tokens", "arithmetic", "steps", "nearest", "expressions"]

HARNESS = """
const { evaluator } = modules.expressions;
const { ExpressionError } = modules.tokens;
const { names, floats, missing, cases } = input;
const values = new Map(Object.entries(names));
for (const name of Object.keys(floats)) values.set(name, { nan: NaN, inf: Infinity }[floats[name]]);
const known = new Map([...values.keys(), ...missing].map((name) => [name, {}]));
const answers = cases.map(({ text }) => {
  try {
    return { value: evaluator(text, known)((name) => values.get(name)) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: error.message };
  }
});
"""


def in_python(text):
    names = {name: tuple(v) if isinstance(v, list) else v for name, v in NAMES.items()}
    try:
        return {"value": as_lists(parse(text, KNOWN).evaluate(names))}
    except ExpressionError as error:
        return {"error": str(error)}


def as_lists(value):
    return [as_lists(item) for item in value] if isinstance(value, tuple) else value


def assert_answer(answer, case):
    if "error" in case:
        assert case["error"] in answer.get("error", f"no error but {answer}")
        return
    assert "error" not in answer, answer
    value, expected = answer["value"], case["value"]
    assert isinstance(value, bool) == isinstance(expected, bool)
    if isinstance(expected, float):
        assert math.isclose(value, expected, rel_tol=1e-15)
    else:
        assert value == expected


def test_there_are_cases_of_every_kind():
    assert len(CASES) > 300
    assert len({case["text"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["text"] for case in CASES])
def test_python_answers(case):
    assert_answer(in_python(case["text"]), case)


@pytest.fixture(scope="module")
def pages_answers():
    return node(MODULES, HARNESS, TABLE)


@pytest.mark.parametrize("nth", range(len(CASES)), ids=[case["text"] for case in CASES])
def test_the_page_answers(nth, pages_answers):
    assert_answer(pages_answers[nth], CASES[nth])


QUERIES = TABLE["queries"]
QUERY_HARNESS = """
const { matching } = modules.expressions;
const { ExpressionError } = modules.tokens;
const { runs, cases } = input;
const columns = new Map(runs.flatMap((run) => Object.keys(run)).map((name) => [name, { name }]));
const numbered = runs.map((values, nth) => ({ values, nth }));
const answers = cases.map(({ text }) => {
  try {
    const chosen = matching(text, columns, numbered, (run, { name }) => run.values[name]);
    return { runs: chosen.map(({ nth }) => nth) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: error.message };
  }
});
"""


def assert_query(answer, case):
    if "error" in case:
        assert case["error"] in answer.get("error", f"no error but {answer}")
    else:
        assert answer == {"runs": case["runs"]}


def queried(text):
    runs = [
        RunRecord(str(nth), RunDir(f"/x/{nth}"), hparams, State("done"), {})
        for nth, hparams in enumerate(QUERIES["runs"])
    ]
    try:
        return {"runs": [int(run.name) for run in chosen(runs, Question(where=text))]}
    except ExpressionError as error:
        return {"error": str(error)}


@pytest.mark.parametrize("case", QUERIES["cases"], ids=[each["text"] for each in QUERIES["cases"]])
def test_values_that_do_not_fit_stop_no_query(case):
    if "known are" in case.get("error", ""):
        case = {**case, "error": case["error"].partition(": known are")[0]}  # and own columns
    assert_query(queried(case["text"]), case)


@pytest.fixture(scope="module")
def pages_choices():
    return node(MODULES, QUERY_HARNESS, QUERIES)


@pytest.mark.parametrize(
    "nth", range(len(QUERIES["cases"])), ids=[each["text"] for each in QUERIES["cases"]]
)
def test_nor_one_of_the_page(nth, pages_choices):
    assert_query(pages_choices[nth], QUERIES["cases"][nth])


DEEP = ["(" * 500 + "1" + ")" * 500, "1" + "+1" * 3000, "-" * 5000 + "1", "not " * 2000 + "1"]


def test_what_is_nested_too_deeply_or_too_long_is_refused_by_both():
    cases = [{"text": text} for text in [*DEEP, "1 + " * 5000 + "1"]]
    for answer in node(MODULES, HARNESS, {**TABLE, "cases": cases}):
        assert "nested" in answer["error"] or "too long" in answer["error"]
    for text in DEEP:
        assert "error" in in_python(text)
    [shallow] = node(MODULES, HARNESS, {**TABLE, "cases": [{"text": "(" * 99 + "1" + ")" * 99}]})
    assert shallow == in_python("(" * 99 + "1" + ")" * 99) == {"value": 1}
