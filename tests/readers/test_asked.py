"""METRICS: what scripts print, and what stands in files of their own."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.readers.asked import Asked, read_asked
from runx.readers.measured import combined
from runx.readers.patterns import problem


def read(tmp_path, *asked, warn=pytest.fail, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", ".")
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def locate(name):
        return name if (tmp_path / name).exists() else None

    rows = combined(read_asked(str(tmp_path), asked, locate, warn)).rows
    return [(row.phase, row.epoch, row.values) for row in rows]


ACC = Asked("acc", pattern=r"val acc[:=] ?(\S+)")
EPOCH = Asked("epoch", pattern=r"epoch ([0-9]+)")


def test_a_pattern_finds_a_metric_of_the_epoch_that_was_printed_last(tmp_path):
    log = "start\nepoch 1\nval acc: 0.5\nepoch 2 val acc=0.6\n"
    assert read(tmp_path, EPOCH, ACC, output__log=log) == [
        ("val", 1, {"acc": 0.5}),
        ("val", 2, {"acc": 0.6}),
    ]


def test_without_an_epoch_matches_are_numbered(tmp_path):
    found = read(tmp_path, ACC, output__log="val acc: 1\nval acc: 2\n")
    assert found == [("val", 1, {"acc": 1}), ("val", 2, {"acc": 2})]


def test_a_name_tells_the_phase(tmp_path):
    asked = (Asked("train.loss", pattern="loss (.*)"), Asked("test.acc", pattern="acc (.*)"))
    found = read(tmp_path, *asked, output__log="loss 1\nacc 2\n")
    assert found == [("train", 1, {"loss": 1}), ("test", 1, {"acc": 2})]


def test_of_a_progress_bar_the_last_state_counts(tmp_path):
    bar = "\r".join(f"{at}%|### val acc={at / 100}" for at in range(101))
    found = read(tmp_path, ACC, output__log=f"{bar}\n{bar[:50]}")
    assert found == [("val", 1, {"acc": 1.0}), ("val", 2, {"acc": 0.01})]


def test_a_bar_that_ends_blank_keeps_its_last_value(tmp_path):
    assert read(tmp_path, ACC, output__log="val acc=0.1\rval acc=0.2\r        \rdone\n") == [
        ("val", 1, {"acc": 0.2})
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("91.2%", 91.2),
        ("0.5,", 0.5),
        ("0.5.", 0.5),
        ("1e-3", 1e-3),
        ("-2", -2),
        ("1,234.5", 1234.5),
        ("\x1b[32m0.5\x1b[0m", 0.5),
        ("tensor(0.91)", 0.91),
        ("inf", float("inf")),
    ],
)
def test_a_number_is_one_however_it_is_printed(tmp_path, text, value):
    [(_, _, values)] = read(tmp_path, ACC, output__log=f"val acc: {text}\n")
    assert values == {"acc": value}


def test_the_last_attempt_of_an_output_counts(tmp_path):
    from runx.analysis.reduce import Measure, tally

    log = "".join(f"epoch {at} val acc={acc}\n" for at, acc in [(1, 5), (2, 9), (1, 6), (2, 7)])
    (tmp_path / "output.log").write_text(log)
    sources = read_asked(str(tmp_path), [EPOCH, ACC], lambda name: name, pytest.fail)
    found = tally(combined(sources).content("val"), [Measure("best", "acc", "max")])
    assert (found.metrics, found.epoch, found.measured) == ({"acc": 7}, 2, {"best": 7})


def test_keys_of_a_json_file(tmp_path):
    content = json.dumps({"scores": {"f.1": 0.5, "all": [1, 2]}, "acc": 0.9, "ok": None})
    asked = [
        Asked("f1", file="eval.json", key="scores.f.1"),
        Asked("acc", file="eval.json"),
        Asked("last", file="eval.json", key="scores.all.1"),
        Asked("none", file="eval.json", key="no.such"),
        Asked("null", file="eval.json", key="ok"),
    ]
    assert read(tmp_path, *asked, eval__json=content) == [
        ("val", None, {"f1": 0.5}),
        ("val", None, {"acc": 0.9}),
        ("val", None, {"last": 2}),
    ]


def test_a_list_is_a_history(tmp_path):
    found = read(tmp_path, Asked("acc", file="h.json"), h__json='{"acc": [1, 2]}')
    assert found == [("val", 1, {"acc": 1}), ("val", 2, {"acc": 2})]


def test_keys_of_json_lines_and_columns_of_csv(tmp_path):
    lines = '{"epoch": 1, "m": {"acc": 1}}\n{"epoch": 2, "m": {"acc": 2}}\n'
    found = read(tmp_path, Asked("acc", file="l.jsonl", key="m.acc"), l__jsonl=lines)
    assert found == [("val", 1, {"acc": 1}), ("val", 2, {"acc": 2})]
    found = read(tmp_path, Asked("acc", file="t.csv", key="Top 1"), t__csv="name,Top 1\na,5\nb,6\n")
    assert found == [("val", 1, {"acc": 5}), ("val", 2, {"acc": 6})]


def test_a_pattern_over_another_file(tmp_path):
    asked = Asked("ppl", pattern="ppl ([0-9.]+)", file="eval.txt")
    assert read(tmp_path, asked, eval__txt="ppl 12.5\n") == [("val", 1, {"ppl": 12.5})]


@pytest.mark.parametrize("text", ["", "{", "\0", "[" * 100_000, "\xff" * 10])
def test_a_damaged_file_says_nothing_or_warns(tmp_path, text):
    warnings = []
    assert read(tmp_path, Asked("a", file="e.json"), warn=warnings.append, e__json=text) == []
    assert len(warnings) <= 1


HOSTILE = [
    r"(a+)+$",
    r"(a|a)*b(x)",
    r"(?:a*)*(b)",
    r"(a|aa)+$",
    r"((a+)b?)+c",
    r"(.*a){20}",
    r".*.*.*(b)",
    r"a*a*a*a*(b)",
    r".*a.*a.*a.*a.*(b)",
    r"(?:[^x]+[^x]+)+(y)",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern):
    assert "take for ever" in problem(pattern) or "several groups" in problem(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"val acc[:=] ([0-9.]+)",
        r"acc: ([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)",
        r"Epoch \[\d+/\d+\].*?acc (\d+)",
        r"Accuracy: \d+/\d+ \((\d+)%\)",
        r"(?P<value>\d+)/(\d+)",
        r"^\s*acc\s*=\s*(\S+)\s*$",
        r"(?i)top-?1:? *(\S+)",
        r"(?:loss|ppl) (\S+)",
        r"loss.*acc.*f1: (\S+)",
    ],
)
def test_patterns_that_people_write_are_taken_and_quick(tmp_path, pattern):
    assert problem(pattern) is None
    text = "".join(letter * 20_000 for letter in "a 0.\t=") + "Epoch [1/2]" * 2000 + "\n"
    began = time.monotonic()
    read(tmp_path, Asked("x", pattern=pattern), output__log=text * 2)
    assert time.monotonic() - began < 5


@given(st.text(max_size=40))
def test_any_text_is_a_pattern_or_has_a_problem(text):
    problem(text)


def test_a_large_output_is_read_in_little_time(tmp_path):
    line = "step 100 | loss 0.123 | lr 0.001 | tokens/s 12345\n"
    began = time.monotonic()
    found = read(tmp_path, EPOCH, ACC, output__log=line * 200_000 + "val acc: 0.5\n")
    assert found == [("val", None, {"acc": 0.5})]
    assert time.monotonic() - began < 10


def test_a_progress_bar_without_an_end_is_read_in_bounds(tmp_path):
    bar = b"\r".join(b"%d%%| acc" % at for at in range(300_000))
    assert read(tmp_path, ACC, output__log=bar + b"\rval acc=0.5") == [("val", 1, {"acc": 0.5})]
