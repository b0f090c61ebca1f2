"""Names of runs, drawn by the real coolname."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import SettingsError
from runx.sweeps.naming import LONGEST, new_slugs, run_names, safe, tag_names

NOW = datetime(2026, 2, 6, 14, 19)


def numbered(start: int = 0) -> Callable[[int], str]:
    """Draw from ten names of two words and a hundred of three."""
    count = [start]

    def draw(words: int) -> str:
        count[0] += 1
        return f"{words}-{count[0] % 10 ** (words - 1)}"

    return draw


def test_a_tag_is_required_where_it_is_the_whole_name():
    with pytest.raises(SettingsError, match=r"give --tag, or RUNX\.TAG"):
        tag_names()("")


def test_two_runs_whose_tags_become_one_name_are_refused():
    new_name = tag_names()
    new_name("a/b")
    with pytest.raises(SettingsError, match=r"would be called a-b \(tags 'a/b', 'a-b'\)"):
        new_name("a-b")


def test_a_name_is_tag_coolname_and_date():
    tag, words, day, time = run_names(NOW)("my tag").split("_")
    assert (tag, day, time) == ("my-tag", "2026.02.06", "14.19")
    assert len(words.split("-")) >= 2
    assert run_names(NOW)("").count("_") == 2


def test_no_name_is_given_twice_when_pairs_of_words_run_out():
    new_name = run_names(NOW, new_slugs(numbered()))
    names = [new_name("") for _ in range(200)]
    assert len(set(names)) == 200


def test_ten_thousand_names_differ():
    new_name = run_names(NOW)
    assert len({new_name("") for _ in range(10_000)}) == 10_000


def test_names_go_on_when_all_that_was_drawn_is_combined():
    drawn = iter(range(10**9))
    new_name = run_names(NOW, new_slugs(lambda count: f"{next(drawn) % 40}-{count}-{next(drawn)}"))
    names = [new_name("") for _ in range(25_000)]
    assert len(set(names)) == 25_000


def test_names_go_on_without_words_to_combine():
    drawn = iter(range(10**9))
    new_name = run_names(NOW, new_slugs(lambda count: f"owl{next(drawn)}"))
    assert len({new_name("") for _ in range(3_000)}) == 3_000


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("ocrnet/HRNet", "ocrnet-HRNet"),
        ("../x", "x"),
        ("..", "tag-5ec1f7e7"),
        ("/", "tag-8a5edab2"),
        ("a b\tc\nd", "a-b-c-d"),
        ("-n", "n"),
        (".hidden", "hidden"),
        ("größe", "größe"),
        ("日本語", "日本語"),
        ("e\u0301", "é"),
        ("x\0y", "x-y"),
        ("a'b\"c$d`e", "a-b-c-d-e"),
        ("", ""),
    ],
)
def test_a_tag_becomes_a_safe_name(tag, name):
    assert safe(tag) == name


def test_what_is_too_long_is_never_cut_into_the_same_name():
    one, other = safe("é" * 200 + "1"), safe("é" * 200 + "2")
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= LONGEST


@given(st.text(min_size=1) | st.text("./-~", min_size=1))
def test_any_tag_is_one_directory_in_the_folder_that_it_is_made_in(tag):
    name = safe(tag)
    path = Path("/logs") / name
    assert os.path.normpath(path) == str(path)
    assert path.parent == Path("/logs")
    assert not name.startswith((".", "-"))
    assert len(os.fsencode(name)) <= LONGEST
