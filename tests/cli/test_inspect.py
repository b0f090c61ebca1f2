import json
import os
import subprocess
import sys
import threading
import time

import pytest
from run_folders import make_run

CALL = """
import sys
from runx.cli.console import run_command
from runx.runx import runx
run_command(runx, 'runx', ['{0}', *sys.argv[1:]])
"""


HPARAMS = {"lr": 1, "bs": 64}


@pytest.fixture
def logroot(tmp_path):
    root = tmp_path / "logs"
    make_run(
        root / "sweep" / "wise-owl", {"lr": 1, "bs": 64}, [1, 2], id="aaaa1111", cmd="python t.py"
    )
    make_run(root / "sweep" / "sly-fox", {"lr": 2, "bs": 512}, code=1)
    (root / "sweep" / "sly-fox" / "output.log").write_text("x\nKeyError: 'lr'\n")
    (root / "sweep" / "wise-owl" / "output.log").write_text("one\ntwo\nthree\n")
    make_run(root / "other" / "cat", {}, [1])
    return root


def call(name, *words, logroot):
    return subprocess.run(
        [sys.executable, "-c", CALL.format(name), "--logroot", str(logroot), *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


def test_an_unknown_experiment_is_one_line_and_status_2(logroot):
    done = call("status", "sweeq", logroot=logroot)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_a_logroot_that_is_not_there_is_named(logroot):
    done = call("status", logroot=logroot / "no")
    assert done.returncode == 2
    assert "isn't there" in done.stderr


def test_a_failed_run_is_seen_in_the_exit_status(logroot):
    done = call("status", "sweep", logroot=logroot)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    head = ["run", "lr", "bs", "state", "attempt", "elapsed", "acc", "epoch", "where"]
    assert lines[0].split() == head
    assert lines[2].split()[:6] == ["sly-fox", "2", "512", "failed", "(exit", "status"]
    assert lines[-1] == "1 done, 1 failed"


def test_where_all_is_well_the_exit_status_says_so(logroot):
    assert call("status", "other", logroot=logroot).returncode == 0


def test_one_run_can_be_looked_at(logroot):
    done = call("status", "owl", "--json", logroot=logroot)
    [printed] = json.loads(done.stdout)
    assert (printed["name"], printed["state"], printed["elapsed"]) == ("wise-owl", "done", 9)


def test_without_a_name_every_experiment_is_told(logroot):
    done = call("status", logroot=logroot)
    assert done.returncode == 1
    assert "1 done, 1 failed" in done.stdout
    printed = json.loads(call("status", "--json", logroot=logroot).stdout)
    assert {experiment["experiment"]: experiment["states"] for experiment in printed} == {
        "sweep": {"done": 1, "failed": 1},
        "other": {"done": 1},
    }


def test_failures_are_told_by_their_reason(logroot):
    done = call("status", "sweep", "--failures", logroot=logroot)
    assert done.stdout.splitlines() == [
        "1 x KeyError: 'lr', all with lr=2, bs=512",
        f"    {logroot}/sweep/sly-fox/output.log",
        "retry: runx sweep.yml --resume --retry failed --restage",
    ]
    [group] = json.loads(call("status", "--failures", "--json", logroot=logroot).stdout)
    assert group["runs"] == ["sweep/sly-fox"]


def test_a_log_is_printed_as_it_is(logroot):
    assert call("logs", "owl", logroot=logroot).stdout == "one\ntwo\nthree\n"
    assert call("logs", "owl", "-n", 2, logroot=logroot).stdout == "two\nthree\n"


def test_the_lines_of_several_logs_have_their_names_before_them(logroot):
    assert call("logs", "sweep", "-n", 1, logroot=logroot).stdout == (
        "sly-fox  | KeyError: 'lr'\nwise-owl | three\n"
    )


def test_a_run_without_output_says_so(logroot):
    done = call("logs", "cat", logroot=logroot)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no output yet" in done.stderr


def test_a_log_is_followed_until_its_run_has_ended(logroot):
    run = logroot / "sweep" / "wise-owl"
    claim = json.loads((run / "attempts" / "1.claim").read_text())
    (run / "attempts" / "1.claim").write_text(json.dumps({**claim, "host": "elsewhere"}))
    (run / "attempts" / "1.events.jsonl").write_text('{"event":"started","time":0}\n')

    def end():
        time.sleep(1)
        with open(run / "output.log", "a") as log:
            log.write("four\nfive")
        with open(run / "attempts" / "1.events.jsonl", "a") as events:
            events.write('{"event":"ended","time":9,"code":0}\n')

    ending = threading.Thread(target=end)
    ending.start()
    done = call("logs", "owl", "-f", "-n", 1, logroot=logroot)
    ending.join()
    assert done.stdout == "three\nfour\nfive\n"


def test_everything_about_a_run_is_shown(logroot):
    launch = logroot / "sweep" / ".runx" / "launches" / "L"
    launch.mkdir(parents=True)
    content = {
        "version": 1,
        "git": {"commit": "c0ffee", "dirty": True},
        "argv": ["/venv/lib/runx/runx.py", "sweep.yml", "-i"],
    }
    (launch / "launch.json").write_text(json.dumps({**content, "cwd": "/home/me/my project"}))
    (launch / "diff.patch").touch()
    run = logroot / "sweep" / "wise-owl"
    record = json.loads((run / "run.json").read_text())
    record.update(launch="L", project="/home/me/my project", code="d1gest", tag="")
    (run / "run.json").write_text(json.dumps(record))
    (run / "run.sh").touch()
    text = call("show", "owl", logroot=logroot).stdout
    for line in (
        "wise-owl",
        "done, 0:09",
        "aaaa1111",
        "python t.py",
        "d1gest",
        "c0ffee, with changes",
        "bs  64",
        f"bash {run}/run.sh",
        "git -C '/home/me/my project' checkout c0ffee",
        "(cd '/home/me/my project' && runx sweep.yml -i)",
    ):
        assert line in text
    [printed] = json.loads(call("show", "owl", "--json", logroot=logroot).stdout)
    assert printed["attempts"][0]["exit_code"] == 0
    assert str(run / "output.log") in printed["files"]


def test_a_directory_of_the_originals_can_be_shown(logroot):
    make_run(logroot / "old" / "bat", {"lr": 1}, [1], record=False)
    done = call("show", "bat", logroot=logroot)
    assert done.returncode == 0
    assert "unknown" in done.stdout


def test_where_chooses_among_runs(logroot):
    done = call("status", "--where", "lr == 2", "--json", logroot=logroot)
    assert [run["name"] for run in json.loads(done.stdout)] == ["sly-fox"]
    assert call("logs", "--where", "acc:best > 1 and lr == 1", logroot=logroot).stdout == (
        "one\ntwo\nthree\n"
    )
    assert "sly-fox" in call("show", "sweep", "--where", "lr == 2", logroot=logroot).stdout
    assert call("show", "--where", "lr == 3", logroot=logroot).returncode == 2
    assert call("logs", logroot=logroot).returncode == 2


def test_the_command_that_retries_is_the_one_that_launched(logroot, tmp_path):
    launch = logroot / "sweep" / ".runx" / "launches" / "2026-01-01"
    launch.mkdir(parents=True)
    content = {"version": 1, "argv": ["/usr/bin/runx", "digits.yml", "-j", "2"], "cwd": "/work"}
    (launch / "launch.json").write_text(json.dumps(content))
    line = call("status", "sweep", "--failures", logroot=logroot).stdout.splitlines()[-1]
    assert line == "retry: (cd /work && runx digits.yml -j 2 --resume --retry failed --restage)"


def test_ls_lists_experiments_with_their_sizes_and_last_notes(project):
    project.runx("sweep.yml", "-i", "lr=1", "NOTE=the first")
    project.runx("sweep.yml", "-i", "lr=2", "NOTE=the second", "EXP_NAME=other", "TITLE=Tries")
    lines = project.runx("ls").stdout.splitlines()
    heads = "experiment runs states last activity size title note"
    assert " ".join(lines[0].split()) == heads
    assert [line.split()[0] for line in lines[2:]] == ["sweep", "other"]
    assert "Tries" in lines[3] and lines[3].endswith("the second")
    listed = json.loads(project.runx("ls", "--json").stdout)
    assert {each["note"] for each in listed} == {"the first", "the second"}
    assert all(each["size"] > 1000 for each in listed)
    assert "isn't there" in project.runx("ls", "--logroot", "gone", status=2).stderr
