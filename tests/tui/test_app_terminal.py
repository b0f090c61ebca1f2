"""``runx top`` in a real terminal, 80 x 24, as over ssh; and where there is none."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from project import Project
from run_folders import make_run

WAIT = 60


@pytest.fixture
def logs(tmp_path):
    for at, name in enumerate(["ant", "bee"]):
        run = make_run(tmp_path / "logs" / "sweep" / name, {"lr": 10**-at}, [0.1, 0.5 - at / 10])
        (run / "output.log").write_text(f"{name} was \x1b[31mhere\x1b[0m\n")
    return tmp_path / "logs"


@pytest.fixture
def terminal(tmp_path, installed):
    """A terminal of 80 x 24 in a tmux of its own: a function that calls its tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here; apt-get install tmux")
    environment = {
        name: text for name, text in installed.items() if name not in ("TMUX", "COLUMNS")
    }

    def tmux(*words):
        command = ["tmux", "-S", tmp_path / "socket", "-f", "/dev/null", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    tmux("new-session", "-d", "-x", "80", "-y", "24", "PS1='$ ' exec sh")
    yield tmux
    tmux("kill-server")


def shown(tmux, *texts):
    """Wait until all texts are on the screen, and return its lines."""
    end = time.monotonic() + WAIT
    while not all(text in (screen := tmux("capture-pane", "-p")) for text in texts):
        assert time.monotonic() < end, screen
        time.sleep(0.1)
    return [line.rstrip() for line in screen.splitlines()]


def test_the_screen_of_80_by_24(terminal, logs):
    terminal("send-keys", f"clear; runx top sweep --logroot {logs}", "Enter")
    lines = shown(terminal, "ant was here", "q quit")
    assert lines == [
        "sweep: 2 runs: 2 done",
        "  run   lr  state  attempt  elapsed  acc  epoch  where",
        "  ant    1  done         1     0:09  0.5      1",
        "  bee  0.1  done         1     0:09  0.4      1",
        *[""] * 5,
        " 1 output  2 curves  3 details  4 load  5 images  6 console  ant",
        "ant was here",
        *[""] * 12,
        "/ filter s sort m mark c cancel h hold r release t retry o page ? keys q quit",
    ]
    terminal("send-keys", "j")
    shown(terminal, "bee was here")
    painted = terminal("capture-pane", "-p", "-e").splitlines()
    assert not re.search(r"\x1b\[[\d;]*[34]\d?8;", "".join(painted))  # NO_COLOR is set
    assert [at for at, line in enumerate(painted[1:9]) if re.search(r"[\[;]7m.*0:09", line)] == [2]
    terminal("send-keys", "Space", "k", "Space", "2")
    shown(terminal, "o  bee", "x  ant")
    terminal("send-keys", "/", "lr < 0.5", "Enter")
    shown(terminal, "sweep: 2 runs: 2 done; 1 with lr < 0.5")
    terminal("send-keys", "q")
    end = time.monotonic() + WAIT
    while (screen := terminal("capture-pane", "-p")).strip() != "$":
        assert time.monotonic() < end, screen
        time.sleep(0.1)


def test_what_was_started_goes_on_when_it_is_quit(terminal, tmp_path, installed):
    project = Project(tmp_path, installed)
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: 1}\n")
    project.write("train.py", "import sys; sys.exit(3)\n")
    project.runx("sweep.yml", "-i", status=1)
    project.write("train.py", "import time\nfor _ in range(40): print('on'), time.sleep(0.1)\n")
    terminal("send-keys", f"cd {tmp_path} && runx top sweep", "Enter")
    shown(terminal, "1 failed")
    terminal("send-keys", "t")
    shown(terminal, "y yes")
    time.sleep(0.5)
    terminal("send-keys", "y")
    shown(terminal, "1 running")
    terminal("send-keys", "C-c")
    end = time.monotonic() + WAIT
    while "done" not in project.runx("status", "sweep", "--where", "state != 'failed'").stdout:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_terminal_that_is_closed_ends_it(terminal, logs):
    terminal("send-keys", f"exec runx top --logroot {logs}", "Enter")
    shown(terminal, "ant was here")
    [pid] = terminal("list-panes", "-F", "#{pane_pid}").split()
    terminal("new-window", "-d", "sleep 600")
    terminal("kill-pane", "-t", ":0")
    end = time.monotonic() + WAIT
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_terminal_that_can_do_nothing_is_refused_with_words(terminal, logs):
    terminal("send-keys", f"TERM=dumb runx top --logroot {logs}", "Enter")
    screen = " ".join(shown(terminal, "status --watch"))
    assert "runx top needs one that can do more than TERM=dumb" in re.sub(" +", " ", screen)


def test_without_a_terminal_it_is_refused_with_words(installed, logs):
    command = ["runx", "top", "--logroot", logs]
    done = subprocess.run(
        command, env=installed, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == (
        "runx: runx top needs a terminal; runx status --watch shows runs anywhere\n"
    )


def test_without_textual_the_command_that_installs_it_is_said(installed, logs, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['textual'] = None\n")
    path = f"{tmp_path}{os.pathsep}{installed['PYTHONPATH']}"
    program = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    done = subprocess.run(
        [sys.executable, "-c", program, "runx", "top", "--logroot", logs],
        env={**installed, "PYTHONPATH": path, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout.strip() == "runx: runx top needs textual: pip install textual"
