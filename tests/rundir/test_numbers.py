"""Numbers of experiments under LOGROOT: given once, whoever launches at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from runx.errors import SettingsError
from runx.rundir import numbers
from runx.rundir.numbers import Number, claimed, foreseen, hold


def test_an_experiment_keeps_its_number_and_the_next_one_has_the_next(tmp_path):
    assert [claimed(tmp_path, key).value for key in ("a", "b", "a", "c")] == [1, 2, 1, 3]


def test_looking_claims_nothing(tmp_path):
    root = tmp_path / "runs"
    assert foreseen(root, "a") == Number(1, "a")
    assert not root.exists()
    claimed(root, "a")
    assert (foreseen(root, "a").value, foreseen(root, "b").value) == (1, 2)


def test_launchers_at_once_never_get_the_same_number_nor_one_experiment_two(tmp_path):
    keys = [f"experiment {number % 8}" for number in range(64)]
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda key: claimed(tmp_path, key).value, keys))
    by_key = {}
    for key, number in zip(keys, given, strict=True):
        by_key.setdefault(key, set()).add(number)
    assert all(len(each) == 1 for each in by_key.values())
    assert len(set(given)) == 8


def test_the_slower_of_two_launchers_has_the_number_of_the_faster(tmp_path, monkeypatch):
    claimed(tmp_path, "a")
    looked = iter([None])  # before the faster one has claimed it
    given = numbers._given
    monkeypatch.setattr(numbers, "_given", lambda *names: next(looked, given(*names)))
    assert claimed(tmp_path, "a").value == 1
    assert [claimed(tmp_path, key).value for key in ("a", "b")] == [1, 3]


def test_a_number_that_another_got_meanwhile_is_refused(tmp_path):
    planned = foreseen(tmp_path, "a")
    claimed(tmp_path, "b")
    with pytest.raises(SettingsError, match=r"\{xid\}: 1 has become another.*load it again"):
        hold(tmp_path, planned)
    hold(tmp_path, foreseen(tmp_path, "a"))


def test_where_nothing_can_be_written_the_message_says_so(tmp_path):
    (tmp_path / ".xids").write_text("")
    with pytest.raises(SettingsError, match=r"\.xids can't be written"):
        claimed(tmp_path, "a")
