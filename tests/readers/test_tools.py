"""Runs of other tools, in samples that the tools themselves have made."""

import json
import shutil
from struct import pack
from types import SimpleNamespace

import pytest
from tool_samples import SAMPLES, check_sample

import runx
from runx.errors import RunxError
from runx.readers.base import DirReader, FoundRun, Row
from runx.readers.tools import dir_readers
from runx.readers.wandb_log import read_log
from runx.rundir.tensorboard import varint

TOOLS = sorted(folder.name for folder in SAMPLES.iterdir())


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def sample(tmp_path):
    """Return a function that copies the sample of a tool."""

    def copied(tool):
        return shutil.copytree(SAMPLES / tool, tmp_path / tool)

    return copied


def read(folder, capsys):
    """Return the runs in a folder by their names, and the warnings."""
    runs = {run.name: run for run in runx.results(folder)}
    return runs, [line for line in capsys.readouterr().err.splitlines() if line]


def test_there_is_a_sample_of_each_tool():
    assert len(TOOLS) == 12


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_has_recorded_is_read(tool):
    check_sample(tool, SAMPLES / tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_one_run_is_read_by_its_own_path(tool):
    for run in runx.results(SAMPLES / tool):
        [again] = runx.results(run.dir.path)
        assert again._replace(experiment="") == run._replace(experiment="")


def test_mlflow_leaves_out_what_was_deleted(sample, capsys):
    folder = sample("mlflow")
    [experiment] = [path.parent.parent for path in folder.glob("mlruns/*/*/meta.yaml")][:1]
    (folder / "mlruns" / ".trash").mkdir()
    [gone] = [
        path.parent
        for path in experiment.glob("*/meta.yaml")
        if "name: lr-0.1\n" in path.read_text()
    ]
    gone.rename(folder / "mlruns" / ".trash" / gone.name)
    runs, warnings = read(folder, capsys)
    assert (sorted(runs), warnings) == (["lr-0.001", "lr-0.01"], [])
    assert {run.experiment for run in runs.values()} == {"vision/digits"}
    assert runs["lr-0.01"].hparams == {"lr": 0.01, "optim/name": "sgd"}
    assert 0 <= runs["lr-0.01"].elapsed(0) < 60


def test_a_run_that_mlflow_has_as_running_is_unknown_since_it_may_be_dead(sample, capsys):
    folder = sample("mlflow")
    for file in folder.glob("mlruns/*/*/meta.yaml"):
        file.write_text(file.read_text().replace("status: 3", "status: 1"))
    runs, _ = read(folder, capsys)
    assert str(runs["lr-0.1"].status) == "unknown (running)"
    assert runs["lr-0.001"].state == "failed"


def test_a_model_that_mlflow_logged_is_no_run(sample, capsys):
    folder = sample("mlflow")
    model = next(folder.glob("mlruns/*/*/metrics")).parent.parent / "models" / "m-1"
    for part in ("params", "metrics", "tags"):
        (model / part).mkdir(parents=True)
    (model / "meta.yaml").write_text("model_id: m-1\nname: model\n")
    assert len(read(folder, capsys)[0]) == 3


def test_wandb_cut_at_every_byte_costs_rows_alone():
    [file, *_] = sorted(SAMPLES.glob("wandb/wandb/*/*.wandb"))
    content = file.read_bytes()
    whole = read_log(content)
    counts = []
    for end in range(7, len(content)):
        log = read_log(content[:end])
        assert log.history == whole.history[: len(log.history)]
        assert log.config in ({}, whole.config) and log.exit_code in (None, whole.exit_code)
        counts.append(len(log.history))
    assert counts == sorted(counts) and {*counts} == {0, 1, 2, 3}
    assert read_log(content[:3]).damage


def test_a_log_of_wandb_that_is_cut_costs_a_warning(sample, capsys):
    folder = sample("wandb")
    [file, *_] = sorted(folder.glob("wandb/*/*.wandb"))
    file.write_bytes(file.read_bytes()[:-300])
    runs, warnings = read(folder, capsys)
    assert len(runs) == 3 and len(warnings) == 1
    assert f"{file}: read up to its damage" in warnings[0]


def test_a_record_of_wandb_may_span_blocks():
    value = json.dumps("x" * 100_000).encode()
    item = b"\x0a\x01a" + b"\x82\x01" + varint(len(value)) + value
    config = b"\x0a" + varint(len(item)) + item
    record = b"\x2a" + varint(len(config)) + config
    assert read_log(as_log(record)).config == {"a": "x" * 100_000}


def as_log(record):
    """Return a log with one record, in blocks of 32 KiB as LevelDB frames them."""
    log, first = b":W&B\xe1\xbe\0", True
    while True:
        room = (1 << 15) - len(log) % (1 << 15) - 7
        part, record = record[:room], record[room:]
        kind = (1 if first else 4) if not record else 2 if first else 3
        log += pack("<IHB", 0, len(part), kind) + part
        first = False
        if not record:
            return log


def test_what_older_wandb_wrote_is_read(tmp_path, capsys):
    files = tmp_path / "wandb" / "run-20200101_000000-abc" / "files"
    files.mkdir(parents=True)
    (files / "config.yaml").write_text(
        "wandb_version: 1\n_wandb:\n  desc: null\n  value: {}\nlr:\n  desc: null\n  value: 0.1\n"
        "optim:\n  desc: null\n  value:\n    name: sgd\n"
    )
    (files / "wandb-summary.json").write_text('{"val/acc": 0.9, "_step": 3, "_timestamp": 1.6e9}')
    (tmp_path / "wandb" / "latest-run").symlink_to(files.parent.name)
    runs, warnings = read(tmp_path, capsys)
    assert (list(runs), warnings) == (["abc"], [])
    assert runs["abc"].hparams == {"lr": 0.1, "optim.name": "sgd"}
    assert (runs["abc"].metrics, runs["abc"].epoch) == ({"acc": 0.9}, 3)


def test_hydra_shows_choices_and_keeps_interpolations(capsys):
    runs, _ = read(SAMPLES / "hydra", capsys)
    assert runs["1"].hparams == {
        "optim": "sgd",
        "optim.name": "sgd",
        "optim.lr": 0.01,
        "seed": 1,
        "out": "${optim.name}",
    }
    assert {run.hparams["optim"] for run in runs.values()} == {"sgd", "adam"}


def test_hydra_without_its_config_has_the_overrides(sample, capsys):
    folder = sample("hydra") / "multirun"
    for file in folder.glob("*/*/*/.hydra/config.yaml"):
        file.write_text("optim: {name: [")
    runs, warnings = read(folder, capsys)
    assert runs["2"].hparams == {"optim": "sgd", "optim.lr": 0.001}
    assert len(warnings) == 3 and "config.yaml" in warnings[0]


def test_sessions_of_tensorboards_hparams_are_runs_of_their_own(capsys):
    runs, _ = read(SAMPLES / "tensorboard" / "at-once", capsys)
    assert {name: run.hparams for name, run in runs.items()} == {
        f"lr-{lr}": {"lr": lr, "optim": "sgd"} for lr in (0.1, 0.01, 0.001)
    }
    [run] = read(SAMPLES / "tensorboard" / "runs" / "lr-0.1", capsys)[0].values()
    assert run.hparams == {"lr": 0.1, "optim": "sgd", "nesterov": 1}


def test_a_tag_of_yaml_makes_no_object(tmp_path, capsys):
    folder = tmp_path / "lightning_logs" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("epoch,step,val_acc\n0,1,0.5\n")
    (folder / "hparams.yaml").write_text(
        f"f: !!python/object/apply:os.mkdir ['{tmp_path}/made']\nt: !!python/tuple [1, 2]\n"
    )
    runs, _ = read(tmp_path, capsys)
    assert runs["version_0"].hparams == {"f": [f"{tmp_path}/made"], "t": [1, 2]}
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\n"
        + "".join(
            f"{after}: &{after} [{', '.join([f'*{name}'] * 9)}]\n"
            for name, after in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: &a [*a]\n",
        "[" * 5000,
        "a: " + "{b: " * 200,
        "- no mapping\n",
        "\0\xff\ufffe",
    ],
)
def test_yaml_that_swells_or_has_no_end_costs_itself(sample, capsys, text):
    folder = sample("lightning")
    [file, *_] = sorted(folder.glob("*/*/hparams.yaml"))
    file.write_text(text)
    runs, warnings = read(folder, capsys)
    assert sorted(runs) == ["version_0", "version_1", "version_2"]
    assert runs["version_0"].hparams == {} and runs["version_0"].metrics
    assert len(warnings) == 1 and str(file) in warnings[0]


def hostile(path, how):
    """Replace a file by something else."""
    content = path.read_bytes()
    path.unlink()
    if how == "link":
        beside = path.with_name("elsewhere")
        beside.write_bytes(content)
        path.symlink_to(beside)
    elif how == "loop":
        path.symlink_to(path.name)
    elif how == "folder":
        path.mkdir()
    elif how == "pipe":
        import os

        os.mkfifo(path)
    elif how == "huge":
        with open(path, "wb") as file:
            file.truncate(1 << 41)
    elif how == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif how == "binary":
        path.write_bytes(bytes(range(256)) * 40)
    elif how == "digits":
        path.write_bytes(b"9" * 5000)
    elif how == "nested":
        path.write_bytes(b'{"a":' * 100_000)


HOW = ["link", "loop", "folder", "pipe", "huge", "torn", "binary", "digits", "nested", "gone"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_damaged_file_costs_at_most_its_run(tool, how, tmp_path, capsys):
    folder = shutil.copytree(SAMPLES / tool, tmp_path / tool)
    whole = {run.dir.path: run for run in runx.results(folder)}
    for damaged in list(whole):
        for file in [path for path in sorted(damaged.rglob("*")) if path.is_file()]:
            before = file.read_bytes()
            hostile(file, how)
            runs = {run.dir.path: run for run in runx.results(folder)}
            for path, run in whole.items():
                if path != damaged and damaged not in path.parents:
                    assert runs[path] == run
            assert len(capsys.readouterr().err.splitlines()) <= 3
            if file.is_dir() and not file.is_symlink():
                file.rmdir()
            else:
                file.unlink(missing_ok=True)
            file.with_name("elsewhere").unlink(missing_ok=True)
            file.write_bytes(before)
        break


def test_a_reader_from_an_entry_point_comes_first(tmp_path, monkeypatch):
    (tmp_path / "mine" / "owl").mkdir(parents=True)
    (tmp_path / "mine" / "owl" / "metrics.csv").write_text("epoch,step,val_acc\n0,1,0.5\n")
    reader = DirReader(
        "mine",
        lambda folder: folder.parent.name == "mine",
        lambda folder, warn: [FoundRun("owl", folder, {"lr": 1}, [Row("val", 1, {"acc": 0.9})])],
    )
    point = SimpleNamespace(name="mine", value="mine:READER", load=lambda: reader)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    dir_readers.cache_clear()
    try:
        [run] = runx.results(tmp_path)
    finally:
        monkeypatch.undo()
        dir_readers.cache_clear()
    assert (run.tool, run.hparams, run.metrics) == ("mine", {"lr": 1}, {"acc": 0.9})


def test_a_pickle_is_never_opened(sample, monkeypatch, capsys):
    import pickle

    folder = sample("huggingface")
    state = next(folder.glob("*/*/trainer_state.json"))
    state.with_name("training_args.bin").write_bytes(pickle.dumps({"lr": 1}))
    monkeypatch.setattr(pickle, "load", pytest.fail)
    monkeypatch.setattr(pickle, "loads", pytest.fail)
    assert len(read(folder, capsys)[0]) == 3


def test_the_newest_checkpoint_of_the_trainer_counts(sample, capsys):
    folder = sample("huggingface")
    states = sorted(folder.glob("lr-0.1/checkpoint-*/trainer_state.json"))
    assert len(states) == 2
    states[-1].unlink()
    runs, _ = read(folder, capsys)
    assert runs["lr-0.1"].epoch == 2


def test_without_a_run_what_was_looked_for_is_named(tmp_path):
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    with pytest.raises(RunxError, match=r"no runs here, nor in 1 folders below.*meta\.yaml.*hydra"):
        runx.results(tmp_path / "empty")
