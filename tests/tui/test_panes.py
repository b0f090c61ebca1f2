"""What panes read of a run, and read on while it goes on."""

from run_folders import make_run

from runx.analysis.read import Reader, read_experiment
from runx.rundir.paths import ExperimentDir
from runx.rundir.records import encode
from runx.tui import panes
from runx.tui.live import LiveRuns, question_of
from runx.tui.panes import Output, Panes


def record_of(folder):
    [record] = read_experiment(ExperimentDir(folder.parent), Reader(ask=False))
    return record


def test_the_next_state_of_a_progress_bar_takes_the_place_of_the_last(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [1], code=None)
    log, output = folder / "output.log", Output()
    record = record_of(folder)
    assert output.lines(record) == ["no output yet"]
    shown = []
    for text in ("begins\n10%\r", "20%\r30%\r", "not whole", " yet\n", "\n\nend\n"):
        with log.open("a") as file:
            file.write(text)
        shown.append(output.lines(record)[1:])
    assert shown == [
        ["10%"],
        ["30%"],
        ["30%"],
        ["not whole yet"],
        ["not whole yet", "", "", "end"],
    ]


def test_a_log_that_was_begun_anew_is_read_anew(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [1])
    log, output = folder / "output.log", Output()
    log.write_text("a long first attempt\n")
    record = record_of(folder)
    assert output.lines(record) == ["a long first attempt"]
    log.write_text("second\n")
    assert output.lines(record) == ["second"]
    log.unlink()
    assert output.lines(record) == ["no output yet"]


def test_of_a_long_log_the_end_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(panes, "MOST_LINES", 100)
    folder = make_run(tmp_path / "sweep" / "one", {}, [1])
    output, record = Output(), record_of(folder)
    for _ in range(3):
        with (folder / "output.log").open("a") as file:
            file.writelines(f"{at}\n" for at in range(1000))
        assert output.lines(record)[-2:] == ["998", "999"]
    assert len(output.lines(record)) < 100


def test_of_an_output_that_grows_faster_than_it_is_read_the_end_is_shown(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [1], code=None)
    output, record = Output(), record_of(folder)
    (folder / "output.log").write_text("begins\n")
    assert output.lines(record) == ["begins"]
    with (folder / "output.log").open("a") as file:
        file.writelines(f"line {at}\n" for at in range(200_000))
    assert output.lines(record)[-1] == "line 199999"


def curves(folder, read=None):
    runs = LiveRuns((folder.parent.name,), folder.parents[1], folder, question_of("", ""), print)
    runs.start()
    read = read or Panes(print)
    lines = read.lines("curves", runs, runs.records, (60, 12))
    return read, [str(line) for line in lines]


def test_curves_go_on_from_where_they_were_left(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [1, 2])
    read, lines = curves(folder)
    assert lines[-2].split() == ["0", "epoch", "1"]
    with (folder / "metrics.csv").open("a") as rows:
        rows.write(encode("val", {"acc": 9, "new": 1}, 7, 50.0))
    read, lines = curves(folder, read)
    assert lines[-2].split() == ["0", "epoch", "7"]
    assert lines[1].split()[0] == "9"
    assert read.curves.metrics == ["acc", "new"]


def test_what_a_later_attempt_wrote_anew_replaces_what_was_drawn(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [1, 50, 3])
    read, lines = curves(folder)
    assert lines[1].split()[0] == "50"
    with (folder / "metrics.csv").open("a") as rows:
        rows.write(encode("start", {"start/step": 0}, None, 99.0))
        rows.write(encode("val", {"acc": 4}, 1, 100.0))
    _, lines = curves(folder, read)
    assert lines[1].split()[0] == "4"


def test_a_metric_that_is_never_a_number_and_none_at_all_draw_nothing(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [float("nan"), float("nan")])
    assert curves(folder)[1] == ["no acc yet"]
    other = make_run(tmp_path / "other" / "one", {})
    assert curves(other)[1] == ["no metrics yet"]


def test_infinities_lie_beyond_the_picture_and_stop_nothing(tmp_path):
    folder = make_run(tmp_path / "sweep" / "one", {}, [1.0, float("inf"), 2.0, -1e300, 1e300])
    assert len(curves(folder)[1]) == 12
