import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from runx.errors import LogxError
from runx.logx import LogX
from runx.rundir.records import Record, read

ROOT = Path(__file__).parents[1]
HEAVY = "torch tensorboardX numpy jinja2 tabulate pandas yaml coolname typing pathlib dataclasses"


def python(code, cwd, **environment):
    """Run a script in a Python of its own, as researchers do."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RUNX_")}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=cwd,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def outside_of_a_run(monkeypatch, tmp_path):
    for name in [*os.environ]:
        if name.startswith(("RUNX_", "SLURM_", "OMPI_")) or name == "RANK":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))


@pytest.fixture
def logx():
    logger = LogX()
    yield logger
    logger.close()


def rows(folder, name="metrics.csv"):
    return [record for record in read(Path(folder) / name) if record.phase != "start"]


# Mistakes in a call


@pytest.mark.parametrize(
    "call",
    [
        lambda logx: logx.metric("val", {"acc": 1}),
        lambda logx: logx.msg("hello"),
        lambda logx: logx.add_scalar("a", 1, 1),
        lambda logx: logx.add_image("a", None),
        lambda logx: logx.tensorboard.add_text("a", "b"),
        lambda logx: logx.save_model({}, 1, 1),
        lambda logx: logx.get_best_checkpoint(),
        lambda logx: logx.suspend_flush(),
        lambda logx: logx.flush(),
    ],
)
def test_a_call_before_initialize_says_so(logx, call):
    with pytest.raises(LogxError, match=r"call logx\.initialize\(\) first"):
        call(logx)


def test_an_unknown_phase_lists_the_known_ones(logx, tmp_path):
    logx.initialize(tmp_path)
    with pytest.raises(LogxError, match=r"'vall' is not known; did you mean val.*trn, train, "):
        logx.metric("vall", {"acc": 1})


@pytest.mark.parametrize("value", ["high", None, 1j, [1, 2], np.zeros(3), object(), b"1", "1"])
def test_a_metric_that_is_no_number_is_named(logx, tmp_path, value):
    logx.initialize(tmp_path)
    with pytest.raises(LogxError, match="metric acc is no number"):
        logx.metric("val", {"loss": 1, "acc": value})
    assert rows(tmp_path) == []


def test_metrics_that_are_no_mapping_are_refused(logx, tmp_path):
    logx.initialize(tmp_path)
    with pytest.raises(LogxError, match="mapping of names to numbers"):
        logx.metric("val", 0.5)


def test_a_directory_that_cannot_be_made_is_an_error(logx, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LogxError, match="can't be logged to"):
        logx.initialize(tmp_path / "file" / "below")


def test_an_unknown_writer_lists_the_known_ones(logx, tmp_path):
    with pytest.raises(LogxError, match="there are csv, tensorboard, wandb, mlflow, trackio"):
        logx.initialize(tmp_path, writers=["tensorbord"])


# The original's behaviours


def test_metrics_are_written_as_the_original_writes_them(logx, tmp_path):
    logx.initialize(tmp_path, no_timestamp=True)
    logx.metric("val", {"acc": 91.2, "loss": 0.3}, epoch=3)
    logx.metric("validation", {"acc": 92}, epoch=4)
    assert (tmp_path / "metrics.csv").read_text() == (
        "start,start/step,0\nval,acc,91.2,loss,0.3,epoch,3\nval,acc,92,epoch,4\n"
    )


def test_the_first_row_and_every_other_have_a_time(logx, tmp_path):
    logx.initialize(tmp_path)
    logx.metric("val", {"acc": 1}, 0)
    assert [record.timestamp > 1e9 for record in read(tmp_path / "metrics.csv")] == [True, True]


def test_epochs_are_counted_for_each_phase_when_none_is_given(logx, tmp_path):
    logx.initialize(tmp_path)
    for _ in range(3):
        logx.metric("val", {"acc": 1})
    logx.metric("train", {"loss": 1})
    logx.metric("val", {"acc": 1}, epoch=7)
    logx.metric("val", {"acc": 1})
    assert [record.epoch for record in rows(tmp_path)] == [0, 1, 2, 7, 7]
    assert [record.epoch for record in rows(tmp_path, "metrics.train.csv")] == [0]


def test_a_resumed_run_appends_and_starts_anew_after_a_torn_row(logx, tmp_path):
    (tmp_path / "metrics.csv").write_text("val,acc,1,epoch,0\nval,acc,0.5,epo")
    logx.initialize(tmp_path)
    logx.metric("val", {"acc": 2}, 1)
    bad = []
    found = list(read(tmp_path / "metrics.csv", lambda line, why: bad.append(line)))
    assert [record.phase for record in found] == ["val", "start", "val"]
    assert bad == [2]


def test_a_message_is_printed_and_kept(logx, tmp_path, capsys):
    logx.initialize(tmp_path)
    logx.msg("epoch 1\nfine")
    logx.msg(3.5)
    assert capsys.readouterr().out == "epoch 1\nfine\n3.5\n"
    assert (tmp_path / "logging.log").read_text() == "epoch 1\nfine\n3.5\n"


def test_other_ranks_are_silent(logx, tmp_path, capsys):
    logx.initialize(tmp_path / "run", global_rank=1, tensorboard=True, hparams={"lr": 1})
    logx.metric("val", {"acc": 1})
    logx.metric("nonsense", None)
    logx.msg("hello")
    logx.add_scalar("a", 1, 1)
    logx.add_image("a", None)
    logx.tensorboard.add_histogram("a", None)
    with logx.suspend_flush():
        pass
    assert logx.save_model({}, 1, 1) is None
    assert logx.get_best_checkpoint() is None
    assert not logx.rank0
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "run").exists()


def test_tensorboard_is_off_unless_asked_for(logx, tmp_path):
    logx.initialize(tmp_path)
    logx.add_scalar("loss", 1.0, 1)
    logx.tensorboard.add_text("note", "text")
    logx.close()
    assert not list(tmp_path.glob("events*"))


# Where it logs


def test_under_runx_the_directory_comes_from_the_environment(logx, tmp_path, monkeypatch):
    monkeypatch.setenv("RUNX_LOGDIR", str(tmp_path / "run"))
    logx.initialize(coolname=True)
    assert logx.logdir == str(tmp_path / "run")
    assert (tmp_path / "run" / "metrics.csv").exists()


def test_a_given_directory_is_used_as_it_is(logx, tmp_path, monkeypatch):
    monkeypatch.setenv("RUNX_LOGDIR", str(tmp_path / "other"))
    monkeypatch.chdir(tmp_path)
    logx.initialize("mine", coolname=True)
    assert logx.logdir == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_script_that_changes_directory_logs_where_it_began(logx, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logx.initialize("mine")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    logx.metric("train", {"loss": 1})
    logx.msg("here")
    assert not list(Path().iterdir())
    assert (tmp_path / "mine" / "metrics.train.csv").exists()


def test_without_a_name_it_logs_into_default_under_runs(logx, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logx.initialize()
    assert (tmp_path / "runs" / "default" / "metrics.csv").exists()


def test_a_cool_name_is_unique_and_lies_under_the_nearest_logroot(logx, tmp_path, monkeypatch):
    (tmp_path / ".runx").write_text("LOGROOT: logs\nFARM: none\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    made = set()
    for _ in range(3):
        logx.initialize(coolname=True)
        made.add(logx.logdir)
    assert len(made) == 3
    assert {Path(path).parent for path in made} == {tmp_path / "logs"}


def test_the_environments_logroot_comes_first(logx, tmp_path, monkeypatch):
    (tmp_path / ".runx").write_text("LOGROOT: logs\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNX_LOGROOT", str(tmp_path / "there"))
    logx.initialize(coolname=True)
    assert Path(logx.logdir).parent == tmp_path / "there"


@pytest.mark.parametrize(
    "variable, size",
    [
        ("RANK", "WORLD_SIZE"),
        ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
        ("SLURM_PROCID", "SLURM_NTASKS"),
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("PMI_RANK", "PMI_SIZE"),
    ],
)
def test_the_rank_is_read_from_the_launchers_variable(logx, tmp_path, monkeypatch, variable, size):
    monkeypatch.setenv(variable, "2")
    logx.initialize(tmp_path)
    assert logx.rank0  # It may be a hyperparameter, such as that of LoRA.
    monkeypatch.setenv(size, "4")
    logx.initialize(tmp_path)
    assert not logx.rank0
    logx.initialize(tmp_path, global_rank=0)
    assert logx.rank0


def test_a_rank_without_a_rank_0_is_not_silent(logx, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    logx.initialize(tmp_path)
    logx.metric("val", {"acc": 1})
    logx.close()
    error = capsys.readouterr().err
    assert error.startswith("logx: warning: this is rank 2 of 4 by RANK, and rank 0, which writes")
    logx.initialize(tmp_path, global_rank=0)
    logx.initialize(tmp_path)
    logx.close()
    assert not capsys.readouterr().err


def test_runx_logx_off_silences_everything(logx, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RUNX_LOGX", "off")
    logx.initialize(tmp_path / "run", tensorboard=True)
    logx.metric("val", {"acc": 1})
    logx.msg("hello")
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "run").exists()


# Hyperparameters


def test_hparams_are_written_where_runx_has_not(logx, tmp_path):
    logx.initialize(tmp_path, hparams={"lr": 0.1, "path": Path("data")})
    assert json.loads((tmp_path / "hparams.json").read_text()) == {"lr": 0.1, "path": "data"}
    assert not (tmp_path / "logx.json").exists()


def test_hparams_go_to_logx_json_where_runx_has_written_them(logx, tmp_path):
    (tmp_path / "run.json").write_text('{"version": 1, "name": "wise-owl"}')
    (tmp_path / "hparams.json").write_text('{"lr": 0.1}')
    logx.initialize(tmp_path, hparams={"width": 64})
    assert json.loads((tmp_path / "hparams.json").read_text()) == {"lr": 0.1}
    assert json.loads((tmp_path / "logx.json").read_text())["hparams"] == {"width": 64}


# Phases


def test_train_metrics_have_a_file_of_their_own(logx, tmp_path):
    logx.initialize(tmp_path, no_timestamp=True)
    logx.metric("trn", {"loss": 0.5}, epoch=1)
    assert (tmp_path / "metrics.train.csv").read_text() == "train,loss,0.5,epoch,1\n"
    assert rows(tmp_path) == []


def test_test_rows_stand_beside_validation_rows(logx, tmp_path):
    logx.initialize(tmp_path, no_timestamp=True)
    logx.metric("test", {"acc": 0.5})
    logx.metric("val", {"acc": 0.6})
    assert rows(tmp_path) == [Record("test", {"acc": 0.5}, 0), Record("val", {"acc": 0.6}, 0)]


def test_further_phases_have_files_of_their_own(logx, tmp_path):
    logx.initialize(tmp_path, phases=["ood"], no_timestamp=True)
    logx.metric("ood", {"acc": 0.5}, 1)
    assert rows(tmp_path, "metrics.ood.csv") == [Record("ood", {"acc": 0.5}, 1)]


@pytest.mark.parametrize("phase", ["../x", "", "a b", "start"])
def test_a_phase_that_cannot_name_a_file_is_refused(logx, tmp_path, phase):
    with pytest.raises(LogxError, match="can't be a phase"):
        logx.initialize(tmp_path, phases=[phase])


# Processes


def test_what_was_logged_survives_a_kill(tmp_path):
    code = """
        import os, signal
        from runx.logx import logx
        logx.initialize("run", tensorboard=True)
        for epoch in range(50):
            logx.metric("val", {"acc": epoch}, epoch)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert python(code, tmp_path).returncode == -signal.SIGKILL
    assert [record.epoch for record in rows(tmp_path / "run")] == list(range(50))


def test_a_fork_does_not_write_twice(tmp_path):
    code = """
        import os
        from runx.logx import logx
        logx.initialize("run", tensorboard=True)
        logx.metric("val", {"acc": 0.5}, 0)
        child = os.fork()
        logx.metric("val", {"acc": 0.5}, 1 if child else 2)
        if not child:
            logx.msg("from the child")
            os._exit(0)
        os.waitpid(child, 0)
    """
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(record.epoch for record in rows(tmp_path / "run")) == [0, 1, 2]
    assert (tmp_path / "run" / "logging.log").read_text() == "from the child\n"


def test_threads_may_log_at_the_same_time(logx, tmp_path):
    from threading import Thread

    logx.initialize(tmp_path, tensorboard=True)

    def work():
        for _ in range(200):
            logx.metric("val", {"acc": 1})

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record.epoch for record in rows(tmp_path)) == list(range(800))


# Importing


@pytest.mark.parametrize(
    "how",
    [
        "from runx.logx import logx",
        "from runx import logx",
        "from runx import logx; from runx.logx import logx as other; assert other is logx",
        "from runx.logx import logx; from runx import logx as other; assert other is logx",
        (
            "import runx.logx; from runx.logx import logx; from runx import logx as other; "
            "assert other is logx"
        ),
        "import runx.logx; logx = runx.logx.logx",
        "import runx; logx = runx.logx",
        "from runx.logx import LogX, logx; assert isinstance(logx, LogX)",
    ],
)
def test_every_way_to_import_gives_the_logger(tmp_path, how):
    code = f"{how}\nlogx.initialize('run')\nassert type(logx).__name__ == 'LogX'"
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_importing_logx_imports_nothing_heavy(tmp_path):
    # -S: what site imports for a virtual environment is not ours.
    code = f"""
        import os, sys
        before = set(sys.modules)
        from runx.logx import logx
        new = set(sys.modules) - before
        print(sorted(new))
        assert not new & set({HEAVY.split()!r}), new
        assert len(new) < 8, new
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
