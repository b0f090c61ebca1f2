import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from runx.errors import LogxError
from runx.logx import LogX
from runx.tracking.config import Config, read_script_config

YAML = """\
# What the script was written with.
seed: 1
name: "010"
flag: no
optimizer: {lr: 1e-3, betas: [0.9, 0.99], nesterov: true, schedule: null}
callbacks:
- {name: a, every: 2}
- {name: b, every: 3}
"""
VALUES = {
    "seed": 1,
    "name": "010",
    "flag": "no",
    "optimizer": {"lr": 0.001, "betas": [0.9, 0.99], "nesterov": True, "schedule": None},
    "callbacks": [{"name": "a", "every": 2}, {"name": "b", "every": 3}],
}
SCRIPT = """\
import json
from runx.logx import logx

logx.initialize(config="configs/config.yaml", system=False)
logx.metric("val", {"acc": 1}, 0)
print(json.dumps(logx.config, default=dict))
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    for name in ("RUNX_LOGDIR", "RUNX_LOGX", "RUNX_LOGROOT", "RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "config.yaml"
    path.write_text(YAML)
    (tmp_path / "train.py").write_text(SCRIPT)
    return path


def launched(tmp_path, hparams):
    """The environment of a run that was launched with hyperparameters."""
    run = tmp_path / "logs" / "sweep" / "owl"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "hparams.json").write_text(json.dumps(hparams))
    return {"RUNX_LOGDIR": str(run)}


def by_hand(*words):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RUNX_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "train.py", *words], env=environment, capture_output=True, text=True
    )


def test_a_file_is_read_with_its_types(file):
    assert read_script_config("configs/config.yaml", {}, []) == VALUES


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("json", json.dumps(VALUES)),
        (
            "toml",
            'seed = 1\nname = "010"\nflag = "no"\n[optimizer]\nlr = 1e-3\nbetas = [0.9, 0.99]\n',
        ),
    ],
)
def test_json_and_toml_are_read_too(file, suffix, text):
    other = file.with_suffix(f".{suffix}")
    other.write_text(text)
    found = read_script_config(other, {}, ["optimizer.lr=0.5"])
    assert found["optimizer"] | {"nesterov": True, "schedule": None} == {
        **VALUES["optimizer"],
        "lr": 0.5,
    }
    assert (found["seed"], found["name"], found["flag"]) == (1, "010", "no")


def test_the_values_of_the_run_go_over_those_of_the_file(file, tmp_path):
    hparams = {
        "optimizer.lr": 0.5,
        "optimizer.betas": [0.5],
        "callbacks.1.every": 7,
        "new.name": "x",
        "seed": None,
        "out": "LOGDIR/out",
        "optimizer": {"schedule": "cosine"},
    }
    environment = launched(tmp_path, hparams)
    found = read_script_config(file, environment, ["seed=5", "whatever=1", "x"])
    assert found == {
        "seed": None,
        "name": "010",
        "flag": "no",
        "optimizer": {"lr": 0.5, "betas": [0.5], "nesterov": True, "schedule": "cosine"},
        "callbacks": [{"name": "a", "every": 2}, {"name": "b", "every": 7}],
        "new": {"name": "x"},
        "out": f"{environment['RUNX_LOGDIR']}/out",
    }


def test_a_value_may_take_the_place_of_a_mapping_but_none_stands_below_a_value(file, tmp_path):
    assert read_script_config(file, {}, ["optimizer=null"])["optimizer"] is None
    with pytest.raises(LogxError, match="seed is a value in the configuration, and no mapping"):
        read_script_config(file, launched(tmp_path, {"seed.low": 1}), [])
    with pytest.raises(LogxError, match="callbacks is a list of 2"):
        read_script_config(file, {}, ["+callbacks.2=x"])


def test_words_of_the_command_line_set_values_where_nobody_launched_a_run(file):
    words = ["--verbose", "data/x=1", "optimizer.lr=1e-4", "name=7", "callbacks.0.name=z", "-o=1"]
    found = read_script_config(file, {}, [*words, "+extra.depth=[1, a]", "optimizer.betas=[1]"])
    assert (found["optimizer"]["lr"], found["name"], found["extra"]) == (
        0.0001,
        7,
        {"depth": [1, "a"]},
    )
    assert found["callbacks"][0]["name"] == "z"
    assert found["optimizer"]["betas"] == [1]
    assert "verbose" not in found


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("optimizer.lrr=1", r"has no optimizer.lrr; did you mean optimizer.lr\? Write \+optimizer"),
        ("seed=1,2", r"takes one value; write seed='\[1,2\]' for a list"),
        ("seed=", "seed has no value"),
    ],
)
def test_a_word_that_means_nothing_is_named(file, word, message):
    with pytest.raises(LogxError, match=message):
        read_script_config(file, {}, [word])


def test_a_file_that_is_missing_or_malformed_is_named(file, tmp_path):
    with pytest.raises(LogxError, match=rf"config=configs/none.yaml: no such .* in {tmp_path}"):
        read_script_config("configs/none.yaml", {}, [])
    file.write_text("a: [1\n")
    with pytest.raises(LogxError, match=r"config\.yaml:"):
        read_script_config(file, {}, [])
    file.write_text("- 1\n")
    with pytest.raises(LogxError, match="not a mapping"):
        read_script_config(file, {}, [])


def test_a_configuration_is_read_in_every_way():
    config = Config(VALUES)
    assert config.optimizer.lr == config["optimizer"]["lr"] == config["optimizer.lr"] == 0.001
    assert config.optimizer.schedule is None
    assert config["optimizer.schedule"] is None
    assert config.callbacks[1].name == "b"
    assert dict(**config.optimizer) == VALUES["optimizer"]
    assert "optimizer.lr" in config
    assert "lr" not in config
    assert config.get("lr", 3) == 3
    assert config.optimizer == VALUES["optimizer"]
    assert config == VALUES
    assert pickle.loads(pickle.dumps(config)).optimizer.lr == 0.001
    assert hasattr(config, "seed")
    assert not hasattr(config, "sed")


def test_an_unknown_name_gets_a_suggestion_and_nothing_can_be_set():
    config = Config(VALUES)
    with pytest.raises(AttributeError, match=r"no value in the configuration: .*mean nesterov\?"):
        config.optimizer.nestrov
    with pytest.raises(KeyError, match=r"did you mean seed\?"):
        config["sed"]
    with pytest.raises(AttributeError, match="read-only"):
        config.seed = 2
    with pytest.raises(TypeError):
        config["seed"] = 2


def test_two_runs_by_hand_have_a_directory_each(file, tmp_path):
    first, second = by_hand("seed=1"), by_hand("seed=2", "optimizer.lr=3.0")
    assert first.stderr.count("logx: logging to runs/by-hand/") == 1, first.stderr
    assert first.stdout == json.dumps(VALUES) + "\n"
    runs = sorted((tmp_path / "runs" / "by-hand").iterdir())
    assert len(runs) == 2
    kept = [json.loads((run / "hparams.json").read_text()) for run in runs]
    assert sorted(each["seed"] for each in kept) == [1, 2]
    assert json.loads(second.stdout)["optimizer"]["lr"] == 3.0


def test_a_directory_that_is_given_is_used(file, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py", "seed=4"])
    logger = LogX()
    logger.initialize("here", config=file, system=False)
    assert (logger.config.seed, logger.hparams.seed) == (4, 4)
    worker = pickle.loads(pickle.dumps(logger))
    assert worker.config.optimizer.lr == 0.001
    worker.close()
    logger.close()
    assert not Path("runs").exists()
    assert "logging to" not in capfd.readouterr().err


def test_there_is_no_configuration_without_a_file(file):
    logger = LogX()
    logger.initialize("here", system=False)
    with pytest.raises(LogxError, match=r"give logx.initialize\(config=...\) its file"):
        logger.config
    logger.close()
    with pytest.raises(LogxError, match="not initialized"):
        logger.config
