"""Overrides on the command line."""

from __future__ import annotations

import shlex
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import RunxError
from runx.sweeps.overrides import is_override, over_hparams, over_settings, read_override
from runx.sweeps.scalars import scalar
from runx.sweeps.sweep import points
from runx.sweeps.yaml import parse, plain

SETTINGS = ["CMD", "RESOURCES", "FARM", "NOTE", "CODE_IGNORE_PATTERNS"]


def overridden(hparams: str, *words: str) -> list[dict[str, object]]:
    document = parse("HPARAMS:\n" + "".join(f"  {line}\n" for line in hparams.split("\n")), "s.yml")
    before = repr(document.tree)
    overrides = [read_override(word, SETTINGS) for word in words]
    where = partial(document.at, "HPARAMS")
    tree, at = over_hparams(document.tree["HPARAMS"], where, overrides, SETTINGS)
    assert repr(document.tree) == before
    return [{h.name: h.value for h in point.hparams} for point in points(tree, at)]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("lrr=1", r"lrr=1: lrr is unknown: did you mean lr\?; \+lrr=1 adds it"),
        ("RESOURCE=1", r"RESOURCE=1: RESOURCE is unknown: did you mean RESOURCES\?"),
        ("~lrr", r"~lrr: lrr is unknown: did you mean lr\?$"),
        ("lr", "lr: write key=value"),
        ("~lr=1", "~lr=1: write key=value"),
        ("=1", "=1: write key=value"),
        ("+lr", r"\+lr: write key=value"),
        ("lr={a: [", "lr={a: .*not YAML"),
        ("lr='a", "not YAML"),
        ("lr='a' b", "not YAML"),
        ("+++lr=1", r"\+\+\+lr=1: write key=value"),
        ("a b=1", "a b=1: write key=value"),
        ("lr=", r"lr=: lr has no value; write lr=null .* lr='\"\"' .* ~lr"),
        ("lr= ", "lr has no value"),
        ("lr==5", r"lr==5: write lr=5, or lr='\"=5\"' for a text"),
        ("lr=a,,b", "lr=a,,b: nothing stands beside a comma"),
        ("lr=a\\,b", r"a backslash keeps no comma; quote a text: lr='\"a,b\"'"),
        ("lr=1e-3,", "lr=1e-3,: nothing stands beside a comma"),
        ("lr=,1", "nothing stands beside a comma"),
        ("lr=range(1,3)", r"write lr='\{range: \[1,3\]\}'; for the text lr='\"range\(1,3\)\"'"),
        ("lr=range(5)", r"write lr='\{range: \[5\]\}'"),
        ("lr=choice(1,2)", "write lr=1,2; for the text"),
        ("lr=interval(0, 1)", r"write lr='\{uniform: \[0, 1\]\}'"),
        ("lr=loguniform(1,2)", r"write lr='\{loguniform: \[1,2\]\}'"),
        ("lr=sort(3,1)", r"sort\(\) is no operator"),
        ("lr=f(1,2),3", r"f\(\) is no operator"),
        ("lr=(1,2)", r"write lr=1,2 for several runs, lr='\[\[1,2\]\]' for a list"),
        ("lr=a(1,2", r"\( isn't closed before a comma; quote a text"),
        ("lr='\udcff'", "not UTF-8 within quotes or brackets"),
        ("lr=[]", "lr=[] on the command line: lr has no values"),
        ("lr={logspace: 3}", "on the command line: lr: logspace takes"),
        ("RUNX.SKIP=lr >", "on the command line: RUNX.SKIP: lr >: column"),
    ],
)
def test_what_is_no_override_says_what_is_wrong_with_it(word, message):
    message = message.replace("lr=[]", r"lr=\[\]")
    with pytest.raises(RunxError, match=message):
        overridden("lr: 1", word)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("lr=0.1", [0.1]),
        ("lr=0.1,0.2", [0.1, 0.2]),
        ("lr=[0.1,0.2]", [0.1, 0.2]),
        ("lr=[1,2],[3]", [(1, 2), (3,)]),
        ("lr=[[1,2]]", [(1, 2)]),
        ("lr='a,b'", ["a,b"]),
        ('lr="a, b",c', ["a, b", "c"]),
        ("lr=null", [None]),
        ("lr=#00ff00", ["#00ff00"]),
        ("lr=#0, #1", ["#0", "#1"]),
        ("lr=a #b", ["a #b"]),
        ("lr=*.txt", ["*.txt"]),
        ("lr=&a,!b,%c,@d,`e,|f,>g", ["&a", "!b", "%c", "@d", "`e", "|f", ">g"]),
        ("lr=a: b", ["a: b"]),
        ("lr=range: 3", [0, 1, 2]),
        ("lr=a: b,c: d", ["a: b", "c: d"]),
        ("lr=- 1", ["- 1"]),
        ("lr=it's, isn't", ["it's", "isn't"]),
        ("lr='it''s, so',x", ["it's, so", "x"]),
        ('lr="a\\",b",x', ['a",b', "x"]),
        ("lr=relu()", ["relu()"]),
        ("lr=resnet(18)", ["resnet(18)"]),
        ("lr=a[0,1]", ["a[0,1]"]),
        ("lr=${x},$y", ["${x}", "$y"]),
        ("lr=1e-3, 1e-2", [1e-3, 1e-2]),
        ("lr=a\nb", ["a\nb"]),
        ("lr=\x07", ["\x07"]),
        ("lr={{ max(1, wd) }},{{ wd }}", [2, 2]),
        ("++lr=5", [5]),
        ("+lr=5", [5]),
        ("lr=!!str 1", ["1"]),
        ("lr=''", [""]),
        ("lr=None", [None]),
        ("lr=true,false", [True, False]),
        ("lr=a=b", ["a=b"]),
        ("lr=a]b", ["a]b"]),
        ("lr=/a:b", ["/a:b"]),
        ("lr=-1", [-1]),
        ("lr={range: 3}", [0, 1, 2]),
        ("lr={{ 2 * wd }}", [4]),
        ("lr='{{ 2 * wd }}',5", [4, 5]),
        ("lr=é", ["é"]),
        ("lr=\udcff", ["\udcff"]),
    ],
)
def test_a_value_is_yaml_and_a_comma_list_an_axis(word, expected):
    values = [point["lr"] for point in overridden("lr: 1\nwd: 2", word)]
    assert values == expected
    assert list(map(type, values)) == list(map(type, expected))


@pytest.mark.parametrize(
    "text", ["range(1,3)", "=5", "a,,b", "(1,'b')", 'f("x",2)', "a(b\\,c", "a,", "choice(1, 2)", ""]
)
def test_the_way_that_a_refusal_names_gives_the_text(text):
    with pytest.raises(RunxError) as caught:
        read_override(f"lr={text}", SETTINGS)
    message = str(caught.value)
    (shown, *_) = shlex.split(message[message.rindex("lr='\"") :])
    assert overridden("lr: 1", shown.rstrip(",")) == [{"lr": text}]


@given(st.text("ab1,()[]{}'\"\\#: =*&!\n\t-", max_size=8))
def test_an_override_is_taken_as_it_looks_or_refused(text):
    try:
        node = read_override(f"lr={text}", SETTINGS).node
    except RunxError:
        return
    if not set(text) & set("'\"[]{},"):
        assert node == scalar(text.strip(" \t"))


def test_a_key_of_hydra_habit_is_added():
    assert overridden("lr: 1", "++n=5") == [{"lr": 1, "n": 5}]


def test_a_key_keeps_its_place_and_a_new_one_comes_last():
    assert list(overridden("a: 1\nlr: 2", "+z=1", "a=3")[0].items()) == [
        ("a", 3),
        ("lr", 2),
        ("z", 1),
    ]


def test_a_removed_key_is_gone_from_zips_and_cases_too():
    assert overridden("a: 1\nRUNX.ZIP: {b: [1, 2], c: [1, 2]}", "~b") == [
        {"a": 1, "c": 1},
        {"a": 1, "c": 2},
    ]
    assert overridden("RUNX.ZIP: {b: [1, 2]}", "~b") == [{}]
    assert overridden("RUNX.CASES: [{a: 1, b: 2}, {a: 2}]", "~a") == [{"b": 2}, {}]


def test_an_override_wins_over_every_mapping_of_a_list():
    assert overridden("- lr: 1\n- lr: 2\n  a: 1", "lr=5") == [{"lr": 5}, {"lr": 5, "a": 1}]


def test_an_override_wins_over_zips_and_cases():
    assert overridden("RUNX.CASES: [{opt: sgd, lr: 1}, {opt: adam, lr: 2}]", "lr=5") == [
        {"opt": "sgd", "lr": 5},
        {"opt": "adam", "lr": 5},
    ]


def test_a_skip_leaves_a_pure_base_skipped():
    combinations = overridden("- {RUNX.SKIP: true, lr: [1, 2]}\n- a: 1", "RUNX.SKIP=lr in (1, 3)")
    assert combinations == [{"lr": 2, "a": 1}]


def test_settings_are_told_from_hyperparameters_and_take_commas_as_they_are():
    words = ["CODE_IGNORE_PATTERNS=a,b", "RESOURCES.a.b=1", "RESOURCES.c=[2]", "~NOTE", "lr=1"]
    nodes = over_settings([read_override(word, SETTINGS) for word in words])
    assert {key: None if node is None else plain(node) for key, node in nodes.items()} == {
        "CODE_IGNORE_PATTERNS": "a,b",
        "RESOURCES": {"a": {"b": 1}, "c": [2]},
        "NOTE": None,
    }
    with pytest.raises(RunxError, match="only whole settings are removed, ~RESOURCES"):
        over_settings([read_override("~RESOURCES.a", SETTINGS)])


@pytest.mark.parametrize("word", ["lr=1", "~lr", "+lr=1", "a.b=~/x", "CMD=x y", "lr=", "a-b=1"])
def test_a_word_that_is_an_override(word):
    assert is_override(word)


@pytest.mark.parametrize(
    "word", ["sweep.yml", "-n", "--tag=x", "~/x.yml", "~", "=1", "+=1", "./a=b.yml"]
)
def test_a_word_that_is_none(word):
    assert not is_override(word)


names = st.sampled_from(["a", "b", "c.d"])
scalars = st.sampled_from(["1", "1e-3", "x", "'y z'", "true", "[1, 2]", "None"])


@given(st.dictionaries(names, scalars, min_size=1), st.data())
def test_an_override_of_a_key_equals_the_file_with_that_key_changed(hparams, data):
    name = data.draw(st.sampled_from(sorted(hparams)))
    value = data.draw(scalars)
    text = "\n".join(f"{key}: {item}" for key, item in hparams.items())
    changed = "\n".join(f"{key}: {item}" for key, item in {**hparams, name: value}.items())
    assert overridden(text, f"{name}={value}") == overridden(changed)


def test_a_zip_or_the_like_that_overrides_takes_its_keys_from_elsewhere():
    assert overridden("a: 1\nb: 2", "RUNX.ABLATE={a: [3, 4]}") == [
        {"b": 2, "a": 3},
        {"b": 2, "a": 4},
    ]
    assert overridden("a: 1\nb: 2", "RUNX.ZIP={a: [3], b: [4]}") == [{"a": 3, "b": 4}]
