import json

from run_folders import make_run

from runx.analysis.compare import difference_lines
from runx.analysis.read import Reader, read_experiment
from runx.rundir.paths import ExperimentDir


def diff(experiment):
    one, two = read_experiment(ExperimentDir(experiment), Reader())
    return list(difference_lines(one, two))


def launch(experiment, name, packages, **content):
    folder = experiment / ".runx" / "launches" / name
    folder.mkdir(parents=True)
    (folder / "launch.json").write_text(json.dumps({"version": 1, **content}))
    (folder / "packages.txt").write_text(packages)


def test_runs_that_are_the_same_differ_in_nothing(tmp_path):
    for name in ("a", "b"):
        make_run(tmp_path / name, {"lr": 1}, [1], cmd="python t.py")
    assert diff(tmp_path) == ["- a", "+ b"]


def test_what_differs_is_shown_side_by_side(tmp_path):
    make_run(tmp_path / "a", {"lr": 1, "same": 2}, [1], cmd="python t.py", launch="L1")
    make_run(tmp_path / "b", {"lr": 2, "same": 2, "new": True}, [3], cmd="python t.py", launch="L2")
    launch(tmp_path, "L1", "torch==2.1\nnumpy==1\n", git={"commit": "aaa", "dirty": False})
    launch(tmp_path, "L2", "torch==2.2\nnumpy==1\n", git={"commit": "bbb", "dirty": False})
    assert diff(tmp_path) == [
        *("- a", "+ b", ""),
        *("hparams", "  - lr: 1", "  + lr: 2", "  + new: true", ""),
        *("metrics", "  - acc: 1", "  + acc: 3", ""),
        *("launch", "  - commit: aaa", "  + commit: bbb", ""),
        *("packages", "  - torch: 2.1", "  + torch: 2.2"),
    ]


def test_the_code_differs_by_its_lines(tmp_path):
    for name, text in (("a", "x = 1\ny = 2\n"), ("b", "x = 1\ny = 3\n")):
        make_run(tmp_path / name, {}, [1])
        (tmp_path / name / "code" / "pkg").mkdir(parents=True)
        (tmp_path / name / "code" / "pkg" / "train.py").write_text(text)
        (tmp_path / name / "code" / "data.bin").write_bytes(b"\0" + name.encode())
    (tmp_path / "b" / "code" / "new.py").write_text("z = 1\n")
    lines = diff(tmp_path)
    assert "binary or large file data.bin differs" in lines
    assert [line for line in lines if "train.py" in line] == [
        "--- a/pkg/train.py",
        "+++ b/pkg/train.py",
    ]
    assert {"-y = 2", "+y = 3", "+z = 1"} <= set(lines)
