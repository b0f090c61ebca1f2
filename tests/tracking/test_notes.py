import json

from runx.tracking.notes import WARNINGS, Notes


def test_a_damaged_file_is_put_aside_and_begun_anew(tmp_path):
    (tmp_path / "logx.json").write_text('{"best_met')
    notes = Notes(tmp_path / "logx.json")
    assert notes.get("best_metric") is None
    notes.keep(best_metric=1)
    assert json.loads((tmp_path / "logx.json").read_text()) == {"version": 1, "best_metric": 1}
    assert (tmp_path / "logx.json.damaged").read_text() == '{"best_met'


def test_what_another_version_noted_is_kept(tmp_path):
    (tmp_path / "logx.json").write_text('{"version": 1, "new": [1]}')
    Notes(tmp_path / "logx.json").keep(best_metric=1)
    assert json.loads((tmp_path / "logx.json").read_text())["new"] == [1]


def test_warnings_do_not_grow_without_end(tmp_path):
    notes = Notes(tmp_path / "logx.json")
    for number in range(WARNINGS + 5):
        notes.warn(str(number), "2026-11-01T00:00:00Z")
    kept = json.loads((tmp_path / "logx.json").read_text())["warnings"]
    assert len(kept) == WARNINGS
    assert kept[0] == {"time": "2026-11-01T00:00:00Z", "text": "0"}
