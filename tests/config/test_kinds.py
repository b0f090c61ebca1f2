"""Kinds of values: what is refused, on one line with its place, and what is read."""

from pathlib import Path

import pytest

from runx.config.keys import KEYS
from runx.config.kinds import Entry
from runx.errors import SettingsError
from runx.sweeps.values import Scalar
from runx.sweeps.yaml import parse

ENVIRONMENT = {"USER": "ada", "DATA": "/data"}


def decoded(name, yaml):
    node = parse(f"it: {yaml}", "x").tree["it"]
    entry = Entry(node, "sweep.yml:3", Path("/project"))
    return KEYS[name].kind.decode(name, entry, ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "yaml", "message"),
    [
        ("CMD", "[a]", "must be text"),
        ("LOGROOT", "{a: b}", "must be text"),
        ("LOGROOT", "$NO/x", r"names \$NO, which is not set"),
        ("LOGROOT", "~nobody-of-that-name/x", "no home for ~nobody-of-that-name"),
        ("PYTHONPATH", "a:${NO}", r"names \$NO, which is not set"),
        ("CODE_LINKS", "[[a]]", "must be a list of names, or names with commas between"),
        ("CODE_LINKS", "{a: b}", "must be a list of names"),
        ("DIRECTIVES", "[{a: b}]", "must be a list of lines"),
        ("RESUME", "maybe", "must be true or false, not maybe"),
        ("RESUME", "[true]", "must be true or false"),
        ("LINGER", "soon", "must be a length of time, as 90s, 10m or 2h; 0 is none"),
        ("LINGER", "-1", "must be a length of time"),
        ("LINGER", "[1]", "must be a length of time"),
        ("CODE_MAX_SIZE", "big", "must be a size, as 500MB or 2GB"),
        ("CODE_MAX_SIZE", "1.2.3MB", "must be a size"),
        ("CODE_MAX_SIZE", "[1]", "must be a size"),
        ("SAMPLES", "-1", "must be a whole number, as 20"),
        ("SAMPLES", "1e3", "must be a whole number, as 20"),
        ("MAX_PARALLEL", "0", "must be a whole number from 1 on"),
        ("MAX_PARALLEL", "[1]", "must be a whole number from 1 on"),
        ("SEED", "[1]", "must be a number, or a word"),
        ("CODE_STAGING", "links", "must be one of auto, reflink, link, copy, none"),
    ],
)
def test_a_value_of_another_kind_is_refused_where_it_stands(name, yaml, message):
    with pytest.raises(SettingsError, match=f"^sweep.yml:3: {name}:? {message}"):
        decoded(name, yaml)


@pytest.mark.parametrize(
    ("name", "yaml", "value"),
    [
        ("CMD", "' python x '", " python x "),
        ("EXP_NAME", "' a '", "a"),
        ("LOGROOT", "$DATA/{user}", Path("/data/ada")),
        ("LOGROOT", "../logs", Path("/logs")),
        ("CODE_LINKS", "a, b,", ("a", "b")),
        ("CODE_LINKS", "['a, b', 3]", ("a, b", "3")),
        ("DIRECTIVES", "['--x', \"--y\\n\\n--z\"]", ("--x", "--y", "--z")),
        ("RESUME", "1", True),
        ("CODE_MAX_SIZE", "1.5 gb", 1_500_000_000),
        ("CODE_MAX_SIZE", "500k", 500_000),
        ("CODE_MAX_SIZE", "7", 7),
        ("LINGER", "10m", 600.0),
        ("LINGER", "0", 0.0),
        ("LINGER", "1.5", 1.5),
        ("SAMPLES", "20", 20),
        ("SEED", "-3", -3),
        ("SEED", "once", "once"),
        ("LAUNCH", "torchrun", "torchrun"),
    ],
)
def test_a_value_is_read_as_its_kind_has_it(name, yaml, value):
    assert decoded(name, yaml) == value


@pytest.mark.parametrize("name", KEYS)
def test_null_is_nothing_whatever_the_kind(name):
    assert decoded(name, "~") == KEYS[name].kind.empty
    assert decoded(name, "") == KEYS[name].kind.empty


def test_an_empty_variable_of_the_environment_is_read_like_an_empty_text():
    entry = Entry(Scalar("", "", plain=False), "RUNX_MAX_PARALLEL", Path())
    assert KEYS["MAX_PARALLEL"].kind.decode("MAX_PARALLEL", entry, {}) is None
