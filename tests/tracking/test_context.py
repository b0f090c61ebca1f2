import json
from argparse import Namespace

import pytest

from runx.errors import LogxError
from runx.logx import LogX
from runx.rundir.paths import RunDir
from runx.tracking.context import Hparams, attempt_of
from runx.tracking.info import RunInfo
from runx.tracking.plain import as_mapping


@pytest.fixture
def launched(tmp_path, monkeypatch):
    """A run as runx launches it."""
    path = tmp_path / "sweep" / "fast_wise-owl"
    path.mkdir(parents=True)
    record = {"version": 1, "name": "fast_wise-owl", "experiment": "sweep", "tag": "fast"}
    (path / "run.json").write_text(json.dumps(record))
    (path / "hparams.json").write_text(
        '{"lr": 0.1, "optimizer.name": "adam", "optimizer.decay": null, '
        '"out": "LOGDIR/x", "sizes": [1, 2], "seed": 5, "deep": {"er": 1}}'
    )
    monkeypatch.delenv("RUNX_LOGX", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("RUNX_LOGDIR", str(path))
    monkeypatch.setenv("RUNX_ATTEMPT", "3")
    return path


def test_an_unknown_hyperparameter_names_the_nearest(launched):
    with pytest.raises(AttributeError, match="no hyperparameter lrr; did you mean lr"):
        LogX().hparams.lrr
    with pytest.raises(KeyError, match="known are: deep, lr, "):
        LogX().hparams["zzz"]
    assert not hasattr(LogX().hparams, "zzz")


def test_outside_of_a_run_hyperparameters_ask_for_initialize(monkeypatch):
    monkeypatch.delenv("RUNX_LOGDIR", raising=False)
    for read in ("hparams", "run"):
        with pytest.raises(LogxError, match=r"call logx\.initialize\(\) first"):
            getattr(LogX(), read)


def test_hyperparameters_are_read_only():
    hparams = Hparams({"lr": 0.1})
    with pytest.raises(AttributeError, match="read-only"):
        hparams.lr = 1
    with pytest.raises(TypeError):
        hparams["lr"] = 1


def test_a_script_that_runx_launched_needs_no_argument_parser(launched):
    hparams = LogX().hparams
    assert (hparams.lr, hparams["lr"], hparams.optimizer.name) == (0.1, 0.1, "adam")
    assert hparams["optimizer.name"] == "adam"
    assert hparams.out == f"{launched}/x"
    assert hparams.sizes == [1, 2]
    assert hparams.deep.er == 1
    assert hparams["optimizer.decay"] is None
    assert dict(hparams)["seed"] == 5
    assert hparams.get("zzz", 7) == 7


def test_the_run_is_known_before_and_after_initialize(launched):
    logx = LogX()
    for run in (logx.run, (logx.initialize(), logx.run)[1]):
        assert (run.name, run.experiment, run.tag) == ("fast_wise-owl", "sweep", "fast")
        assert (run.attempt, run.logdir) == (3, str(launched))
    logx.close()


def test_hparams_given_to_initialize_come_over_those_of_the_run(launched):
    logx = LogX()
    logx.initialize(hparams={"lr": 0.2, "width": 4})
    assert (logx.hparams.lr, logx.hparams.width, logx.hparams.seed) == (0.2, 4, 5)
    logx.close()


def test_a_directory_of_ones_own_is_named_after_itself(tmp_path, launched):
    info = RunInfo(RunDir(tmp_path / "mine" / "first"))
    assert (info.name, info.experiment, info.tag, info.attempt) == ("first", "mine", "", 1)


def test_hyperparameters_come_in_every_usual_form():
    from dataclasses import dataclass

    @dataclass
    class Settings:
        lr: float = 0.1

    assert as_mapping(Namespace(lr=0.1)) == as_mapping(Settings()) == as_mapping({"lr": 0.1})
    with pytest.raises(LogxError, match="takes a mapping"):
        as_mapping([1])


def test_the_attempt_is_known_of_the_run_that_was_launched_alone(tmp_path):
    run, other = RunDir(tmp_path / "owl"), RunDir(tmp_path / "fox")
    launched = {"RUNX_LOGDIR": str(run.path), "RUNX_ATTEMPT": "2"}
    assert attempt_of(run, launched) == {"attempt": 2}
    assert attempt_of(other, launched) == {}
    assert attempt_of(run, {}) == {}
    assert attempt_of(run, {**launched, "RUNX_ATTEMPT": "x"}) == {}
