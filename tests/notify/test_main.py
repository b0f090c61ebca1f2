"""The program that tells: what was launched is read, each occasion claimed, and told once."""

import json
import os
import stat
import subprocess
import sys
import time

import pytest
from run_folders import make_run

from runx.notify.main import main, tell
from runx.rundir.notify import Notify, read_notify, write_notify
from runx.rundir.paths import ExperimentDir


@pytest.fixture
def launch(tmp_path):
    """A function that returns the folder of a launch with two runs, one of which has failed."""
    experiment = ExperimentDir(tmp_path / "sweep")
    make_run(tmp_path / "sweep" / "good", {"lr": 0.1}, [0.5])
    make_run(tmp_path / "sweep" / "bad", {"lr": 0.2}, code=3)
    (tmp_path / "sweep" / "bad" / "output.log").write_text("ValueError: loss is nan\n")
    folder = experiment.launches / "2026-01-01T00.00.00Z-abc"
    folder.mkdir(parents=True)

    def write(to, **more):
        notify = Notify(f"{to}", **more)
        write_notify(experiment, folder.name, notify, sys.executable, sys.path)
        return folder

    return write


def test_a_launch_without_it_or_with_a_damaged_file_costs_a_line(launch, capsys):
    folder = launch("true")
    (folder / "notify.json").write_text("{")
    main(str(folder))
    (folder / "notify.json").unlink()
    main(str(folder))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("warning: NOTIFY: ") for line in lines)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("echo no >&2; exit 3", "its command ended with 3: no"),
        ("kill -9 $$", "its command ended with -9"),
        ("exit 141", "its command ended with 141"),
        ("(", "its command ended with 2: "),
    ],
)
def test_a_command_that_fails_is_said_and_not_tried_again(launch, command, problem):
    folder = launch(command)
    [line] = tell(folder)
    assert problem in line
    assert tell(folder) == []


def test_a_command_that_does_not_end_is_ended(launch, monkeypatch):
    monkeypatch.setattr("runx.notify.main._LONGEST", 1)
    began = time.monotonic()
    assert tell(launch("sleep 100 & sleep 100")) == [
        "its command: bash: no end within 0.5 s; ended"
    ]
    assert time.monotonic() - began < 20


def test_a_metric_that_no_run_has_does_not_keep_the_end_from_being_told(launch, tmp_path):
    folder = launch(f"cat >{tmp_path}/told", best="wombat", lower=True)
    [line] = tell(folder)
    assert "can't sort with wombat" in line
    assert (tmp_path / "told").read_text().startswith("sweep: ended, 1 done, 1 failed\n")


def test_a_command_has_the_digest_on_its_standard_input_and_in_its_environment(launch, tmp_path):
    variables = "$RUNX_EVENT $RUNX_EXPERIMENT"
    command = f'cat >{tmp_path}/told; printf %s "$RUNX_DIGEST" >{tmp_path}/same; pwd'
    assert tell(launch(f"{command}; echo {variables} >>{tmp_path}/told")) == []
    *lines, last = (tmp_path / "told").read_text().splitlines()
    assert last == "end sweep"
    assert lines[0] == "sweep: ended, 1 done, 1 failed"
    assert "failed: 1 x ValueError: loss is nan" in lines
    assert "best: acc 0.5, good" in lines
    assert (tmp_path / "same").read_text().splitlines() == lines


def test_a_digest_that_no_variable_takes_is_cut_there_alone(launch, tmp_path):
    folder = launch(f"wc -c >{tmp_path}/told; echo ${{#RUNX_DIGEST}} >>{tmp_path}/told")
    output = folder.parents[2] / "bad" / "output.log"
    output.write_text("\n".join(["x" * 20_000] * 10) + "\0é\n")
    assert tell(folder) == []
    whole, variable = map(int, (tmp_path / "told").read_text().split())
    assert whole > 60_000 >= variable > 50_000


def test_many_at_once_tell_once(launch, tmp_path):
    script = launch(f"echo told >>{tmp_path}/told") / "notify.sh"
    processes = [subprocess.Popen([script]) for _ in range(6)]
    assert [process.wait() for process in processes] == [0] * 6
    assert (tmp_path / "told").read_text() == "told\n"


def test_of_several_launches_that_share_a_sweep_one_tells(launch, tmp_path):
    first = launch(f"echo first >>{tmp_path}/told")
    last = first.with_name("2026-02-01T00.00.00Z-abc")
    last.mkdir()
    (last / "notify.json").write_text(
        (first / "notify.json").read_text().replace("echo first", "echo last")
    )
    assert tell(first) == tell(last) == tell(first) == []
    assert (tmp_path / "told").read_text() == "last\n"


def test_nobody_else_may_read_to_whom_and_how(launch):
    folder = launch("https://x.org/secret")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"notify.json": 0o600, "notify.sh": 0o700}
    assert "secret" not in (folder / "notify.sh").read_text()
    assert read_notify(folder)[0].to == "https://x.org/secret"


def test_keys_of_a_newer_runx_are_ignored(launch):
    folder = launch("true", on=("end",))
    content = json.loads((folder / "notify.json").read_text())
    (folder / "notify.json").write_text(json.dumps({**content, "new": 1}))
    assert read_notify(folder)[0] == Notify("true", ("end",))


def test_a_full_or_read_only_disk_fails_nothing(launch, capsys, monkeypatch):
    folder = launch("true")

    def refuse(*_, **__):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("runx.notify.main.link_claim", refuse)
    main(str(folder))
    assert "No space left" in capsys.readouterr().err
