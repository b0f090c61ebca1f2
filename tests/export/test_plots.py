import math

import pytest
from run_folders import make_run

from runx.analysis.curves import Curve, curve, mean_curve, smoothed
from runx.analysis.question import TableOptions
from runx.analysis.read import Reader, read_experiment
from runx.errors import RunxError
from runx.export import plots
from runx.export.plots import pictured, plot_runs
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def runs(tmp_path):
    for lr in (0.1, 0.01):
        for seed in (0, 2):
            folder = tmp_path / "sweep" / f"lr{lr}-{seed}"
            make_run(folder, {"lr": lr, "seed": seed}, [1.0 + seed, 10 * lr + seed])
    return list(read_experiment(ExperimentDir(tmp_path / "sweep"), Reader()))


def asked(tmp_path, **more):
    return TableOptions(experiments=(), logroot=tmp_path, cwd=tmp_path, **more)


def test_a_name_that_no_run_has_is_refused_with_those_there_are(runs, tmp_path):
    with pytest.raises(RunxError, match="no run has it; there is: acc"):
        pictured("ac", runs, asked(tmp_path))
    with pytest.raises(RunxError, match="did you mean lr"):
        pictured("lrr vs acc", runs, asked(tmp_path))


def test_each_run_is_a_curve_named_by_what_varies(runs, tmp_path):
    picture = pictured("acc", runs, asked(tmp_path))
    labels = ["lr=0.1 seed=2", "lr=0.01 seed=2", "lr=0.1 seed=0", "lr=0.01 seed=0"]
    assert [line.label for line in picture.curves] == labels
    assert picture.curves[3][1:3] == ((0.0, 1.0), (1.0, 0.1))


@pytest.mark.parametrize("over", [(), ("seed",)])
def test_top_draws_the_best_alone(runs, tmp_path, over):
    picture = pictured("acc", runs, asked(tmp_path, over=over, top=1, lower=("acc",)))
    assert [line.label for line in picture.curves] == ["lr=0.01" if over else "lr=0.01 seed=0"]
    assert len(pictured("lr vs acc", runs, asked(tmp_path, top=3)).curves[0].xs) == 3
    assert len(pictured("parallel", runs, asked(tmp_path, top=3)).lines) == 3


def test_curves_that_are_left_out_are_counted(runs, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(plots, "MOST", 3)
    assert "3 of 4; --where or --top choose" in plot_runs("acc", runs, asked(tmp_path))
    message = plot_runs("acc", runs, asked(tmp_path, output=str(tmp_path / "a.svg")))
    assert message.endswith("a.svg: 3 of 4; --where or --top choose")


def test_seeds_are_one_curve_with_a_band(runs, tmp_path):
    picture = pictured("acc", runs, asked(tmp_path, over=("seed",)))
    assert [line.label for line in picture.curves] == ["lr=0.1", "lr=0.01"]
    assert picture.curves[1].ys == (2.0, pytest.approx(1.1))
    assert picture.curves[1].high[0] == pytest.approx(2 + 2**0.5)


def test_a_scatter_has_a_dot_for_each_run(runs, tmp_path):
    picture = pictured("lr vs acc", runs, asked(tmp_path))
    assert picture.dots
    assert len(picture.curves[0].xs) == 4


@pytest.mark.parametrize("what", ["acc", "lr vs acc", "parallel"])
def test_a_picture_is_drawn_in_the_terminal(runs, tmp_path, what, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = plot_runs(what, runs, asked(tmp_path, log="x" if "vs" in what else ""))
    assert "acc" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(
    ("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_a_picture_is_drawn_to_a_file(runs, tmp_path, suffix, magic):
    pytest.importorskip("matplotlib")
    file = tmp_path / f"picture.{suffix}"
    for what in ("parallel", "lr vs acc", "acc"):
        plot_runs(what, runs, asked(tmp_path, output=str(file), over=("seed",)))
    assert file.read_bytes().startswith(magic)


def test_a_file_that_is_no_picture_is_refused(runs, tmp_path):
    with pytest.raises(RunxError, match=r"a picture is one of \.png"):
        plot_runs("acc", runs, asked(tmp_path, output="picture.txt"))


def test_an_epoch_that_was_repeated_counts_once():
    line = curve("a", [(0, 1.0), (1, 2.0), (1, 3.0), (2, float("nan")), (3, "n/a")])
    assert line == Curve("a", (0.0, 1.0), (1.0, 3.0))


def test_smoothing_keeps_what_is_constant():
    assert smoothed([2.0] * 5, 0.9) == pytest.approx([2.0] * 5)


def test_curves_of_different_length_go_together():
    one, two = Curve("", (0.0,), (1.0,)), Curve("", (0.0, 1.0), (3.0, 5.0))
    assert mean_curve("x", [one, two])[1:3] == ((0.0, 1.0), (2.0, 5.0))


def test_runs_that_are_no_dots_are_counted_with_the_reasons(runs, tmp_path):
    assert pictured("lr vs acc", runs, asked(tmp_path)).note == ""
    make_run(tmp_path / "sweep" / "text", {"lr": "auto", "seed": 0}, [1.0])
    make_run(tmp_path / "sweep" / "nan", {"lr": 1, "seed": 0}, [math.nan])
    make_run(tmp_path / "sweep" / "none", {"lr": 1, "seed": 0})
    make_run(tmp_path / "sweep" / "bare", {"seed": 0}, [3])
    make_run(tmp_path / "sweep" / "bare2", {"seed": 1}, [3])
    more = list(read_experiment(ExperimentDir(tmp_path / "sweep"), Reader()))
    drawn = plot_runs("lr vs acc", more, asked(tmp_path)).splitlines()
    [line] = [line for line in drawn if "no dots" in line]
    assert line.startswith("5 of 9 runs are no dots: no lr (2), ")
    assert line.endswith(" and others")
    few = [run for run in more if run.name != "bare" and run.name != "bare2"]
    note = pictured("lr vs acc", few, asked(tmp_path)).note
    assert set(note.partition(": ")[2].split(", ")) == {
        *("lr is auto (1)", "acc is nan (1)", "no acc (1)")
    }
