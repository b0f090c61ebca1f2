"""One run of results: what it reads when it is asked, and functions over runs."""

import json
import subprocess
import sys

import pytest
from run_folders import make_run, write_metrics

import runx
from runx.errors import RunxError


@pytest.fixture
def results(tmp_path):
    for lr in (0.1, 0.01):
        for seed in (0, 1):
            folder = tmp_path / "sweep" / f"lr{lr}-{seed}"
            make_run(folder, {"lr": lr, "seed": seed}, [1 + seed, 10 * lr + seed])
            rows = [{"loss": 2}, {"loss": 1}]
            write_metrics(folder, rows, phase="train", file="metrics.train.csv")
    return runx.results("sweep", logroot=tmp_path)


def test_what_a_run_has_not_is_answered_with_what_it_has(results):
    run = results[0]
    with pytest.raises(RunxError, match=r"no course of los: known are: acc, train\.loss"):
        run.history("los")
    with pytest.raises(RunxError, match="no checkpoint best: logx has saved none"):
        run.load_checkpoint()
    with pytest.raises(RunxError, match=r"no artifact or file x: logx\.artifact has kept none"):
        run.artifact("x")
    with pytest.raises(RunxError, match="best by which metric"):
        results.best()
    with pytest.raises(RunxError, match="did you mean lr"):
        results.by("lrr").agg(len)
    with pytest.raises(RunxError, match="no run has accu: did you mean acc"):
        results.by("lr").agg(max, "accu")
    with pytest.raises(IndexError):
        results[4]


def test_no_name_of_an_artifact_leads_out_of_the_run(results, tmp_path):
    (tmp_path / "secret").touch()
    run = results[0]
    (run.dir.path / "artifacts").mkdir()
    entry = {"name": "out", "file": "../../../secret"}
    (run.dir.path / "artifacts" / "index.jsonl").write_text(json.dumps(entry) + "\n{torn\n[]\n")
    for name in ("../../secret", str(tmp_path / "secret"), "out", ""):
        with pytest.raises(RunxError, match="no artifact or file"):
            run.artifact(name)


def test_an_artifact_is_found_by_its_name_or_its_file(results):
    run = results[0]
    folder = run.dir.path / "artifacts"
    folder.mkdir()
    (folder / "matrix.npy").touch()
    (folder / "index.jsonl").write_text('{"name": "matrix", "file": "matrix.npy"}\n')
    assert run.artifact("matrix") == run.artifact("matrix.npy") == folder / "matrix.npy"
    assert run.artifact("metrics.csv") == run.dir.metrics
    assert results.artifact("matrix") == {run.name: folder / "matrix.npy"}


def test_a_checkpoint_is_loaded_on_the_cpu_and_a_damaged_one_is_an_error(results):
    torch = pytest.importorskip("torch")
    run = results[0]
    torch.save({"state_dict": {"w": torch.ones(1)}}, run.dir.checkpoint("best", 1))
    torch.save({"state_dict": {}}, run.dir.checkpoint("last", 2))
    assert run.load_checkpoint()["state_dict"]["w"].device.type == "cpu"
    assert run.load_checkpoint("last") == {"state_dict": {}}
    torch.save(3, run.dir.path / "own.ckpt")
    assert run.load_checkpoint("own.ckpt") == 3
    run.dir.checkpoint("best", 1).write_bytes(b"torn")
    with pytest.raises(RunxError, match=r"best_checkpoint_ep1\.pth: can't be loaded: "):
        run.load_checkpoint()
    with pytest.raises(RunxError, match="no checkpoint first: there are"):
        run.load_checkpoint("first")


def test_a_checkpoint_that_could_run_code_is_not_loaded_unless_that_is_asked_for(results):
    torch = pytest.importorskip("torch")
    run = results[0]
    torch.save({"state_dict": {}, "code": print}, run.dir.checkpoint("best", 1))
    with pytest.raises(RunxError, match="if you trust it, weights_only=False"):
        run.load_checkpoint()
    assert run.load_checkpoint(weights_only=False)["code"] is print


def test_the_course_of_a_run_is_a_frame_with_a_row_for_each_epoch(results):
    pytest.importorskip("pandas")
    frame = results[3].history()
    assert list(frame.columns) == ["epoch", "acc", "train.loss"]
    assert frame.values.tolist() == [[0, 2, 2], [1, 2, 1]]
    assert list(results[0].history("train.loss").columns) == ["epoch", "train.loss"]


def test_runs_are_taken_by_their_places(results):
    assert results[0].name == "lr0.01-0"
    assert results[-1] == list(results)[-1]
    assert [run.name for run in results[:2]] == ["lr0.01-0", "lr0.01-1"]
    assert results.sorted("acc").best().name == results.best("acc").name
    assert repr(results[0]) == "<lr0.01-0: done, lr=0.01, seed=0, acc=0.1>"


def test_own_functions_see_runs_and_groups_of_them(results):
    assert results.map(lambda run: run.hparams["seed"]) == [0, 1, 0, 1]
    assert results.by("lr").agg(len) == {0.01: 2, 0.1: 2}
    assert results.by("lr").agg(max, "acc") == {0.01: pytest.approx(1.1), 0.1: 2}
    assert results.by("lr", "seed").agg(len) == dict.fromkeys(
        [(0.01, 0), (0.01, 1), (0.1, 0), (0.1, 1)], 1
    )
    assert results.over("seed").agg(min, "acc") == {0.01: pytest.approx(0.1), 0.1: 1}
    assert results.where("lr > 1").by("lr").agg(len) == {}


def test_values_that_cannot_be_keys_become_some(tmp_path):
    make_run(tmp_path / "sweep" / "a", {"sizes": [1, [2]], "net": {"a": [1]}}, [1])
    make_run(tmp_path / "sweep" / "b", {"sizes": None}, [])
    runs = runx.results("sweep", logroot=tmp_path)
    assert runs.by("sizes").agg(len) == {(1, (2,)): 1, None: 1}
    assert runs.by("sizes").agg(max, "acc") == {(1, (2,)): 1}


def test_a_page_is_text_or_a_file(results, tmp_path):
    assert results.html().startswith("<!doctype html>")
    assert results.html(tmp_path / "page.html") == f"{tmp_path}/page.html: 4 runs"
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert str(results.parallel()) == repr(results.parallel())


def test_nothing_heavy_is_imported_before_it_is_asked_for(results, tmp_path):
    program = (
        "import sys, runx\n"
        f"results = runx.results('sweep', logroot={str(tmp_path)!r})\n"
        "[run.name for run in results.where('lr > 0')]; results[0]; repr(results)\n"
        "results.plot('acc'); results.by('lr').agg(len)\n"
        "print({*sys.modules} & {'torch', 'pandas', 'matplotlib', 'IPython', 'numpy', 'scipy'})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
