"""Completion as the shells ask for it, with the scripts that are installed."""

import contextlib
import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from runx.cli.shells import PROGRAMS, SHELLS


@pytest.fixture
def typed(project, tmp_path):
    """Give what bash completes to when TAB is typed after a line."""
    data = tmp_path / "data"
    project.runx("--install-completion", "bash", XDG_DATA_HOME=str(data))
    scripts = data / "bash-completion" / "completions"

    def completed(line: str) -> list[str]:
        words = shlex.split(line) + ([""] if line.endswith(" ") else [])
        program = words[0]
        command = (
            f"source {scripts / program}\n"
            f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}\n"
            f"function=$(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
            f'$function {program}\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
        )
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=project.path,
            env=project.environment,
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return completed


@pytest.mark.parametrize("line", ["runx gone.yml l", "runx status x", "runx watch zz"])
def test_where_nothing_fits_nothing_is_said(typed, line):
    assert typed(line) == []


def test_the_first_word_is_a_command_or_a_file(typed, project):
    project.write("sub/other.yaml", "")
    project.write("notes.txt", "")
    assert typed("runx st") == ["status"]
    assert typed("runx s") == ["status", "show", "slots", "schema", "sub/", "sweep.yml"]
    assert typed("runx sub/") == ["sub/other.yaml"]
    assert "notes.txt" not in typed("runx ")
    assert typed("runx launch sw") == ["sweep.yml"]
    assert "--resume" in typed("runx sweep.yml --re")


def test_after_a_file_come_its_hyperparameters_and_settings(typed, project):
    project.write(
        "sweep.yml",
        "CMD: x\nSWEEPS: {seeds: {seed: 1}, arch: {a: 1}}\n"
        "HPARAMS: {lr: 1, RUNX.ZIP: {latent: [1], b: [2]}, RUNX.TAG: x}\nbig: {SUBMIT_CMD: x}\n",
    )
    assert typed("runx sweep.yml l") == ["lr=", "latent="]
    assert typed("runx sweep.yml lr=3 LOG") == ["LOGROOT="]
    assert typed("runx config sweep.yml la") == ["latent="]
    assert typed("runx sweep.yml '~l'") == ["~lr", "~latent"]
    assert typed("runx sweep.yml --sweep s") == ["seeds"]
    assert typed("runx sweep.yml --sweep seeds,a") == ["seeds,arch"]
    assert typed("runx sweep.yml --farm ") == ["local", "big"]


def test_the_values_that_a_type_allows_are_completed(typed, project):
    project.write(".runx", "HPARAMS_TYPES: {amp: bool}\n")
    types = "{solver: {choices: [sgd, adam, 'a b']}, lr: float}"
    project.write("t.yml", f"CMD: x\nHPARAMS_TYPES: {types}\nHPARAMS: {{solver: sgd, lr: 1}}\n")
    assert typed("runx t.yml solver=") == ["solver=sgd", "solver=adam"]
    assert typed("runx t.yml lr=1 solver=sgd,a") == ["solver=sgd,adam"]
    assert typed("runx t.yml +amp=t") == ["+amp=true"]
    assert typed("runx t.yml lr=") == []  # HPARAMS_TYPES says what is allowed
    # As bash parts words at the sign, and replaces what follows it.
    assert typed("runx t.yml solver = ") == ["sgd", "adam"]
    assert typed("runx t.yml lr = 1 solver = sgd,a") == ["sgd,adam"]
    assert typed("runx t.yml lr = 1 so") == ["solver="]


def test_the_values_that_a_sweep_lists_are_completed(typed, project):
    project.write(
        "v.yml", "CMD: x\nHPARAMS: {lr: [1e-3, 0.1, {x: 1}], RUNX.CASES: [{lr: 7, o: 'a b'}]}\n"
    )
    assert typed("runx v.yml lr=") == ["lr=1e-3", "lr=0.1", "lr=7"]
    assert typed("runx v.yml lr=0.1,1") == ["lr=0.1,1e-3"]
    assert typed("runx v.yml o=") == []  # no word that a shell takes as it is


def test_columns_are_completed_where_sumx_asks_for_some(typed, project):
    project.write(
        "m.yml", "CMD: echo acc {lr}\nMETRICS: {acc: 'acc ([0-9.]+)'}\nHPARAMS: {lr: [1, 2]}\n"
    )
    project.runx("m.yml", "-i")
    assert typed("sumx m --sortwith ac") == ["acc"]
    assert typed("sumx m --columns lr,ac") == ["lr,acc"]
    assert typed("sumx --importance ac") == []  # of which experiment is not typed yet
    assert typed("sumx m --pivot lr") == ["lr"]
    assert typed("sumx gone --sortwith a") == []
    assert typed("sumx m --over lr --agg mean,me") == ["mean,mean", "mean,median"]


def test_labels_are_completed(typed, project):
    project.runx("sweep.yml", "-i", "LABELS=paper,ablation")
    assert typed("runx status --label p") == ["paper"]
    assert typed("sumx sweep --label ") == ["paper", "ablation"]


def test_experiments_and_runs_are_completed_wherever_they_are_asked_for(typed, project):
    project.runx("sweep.yml", "-i", "RUN_NAME={lr}-{opt}")
    assert typed("runx status s") == ["sweep"]
    assert typed("runx logs sweep 0.1") == ["0.1-a", "0.1-b"]
    assert typed("runx show 0.2-") == ["0.2-a", "0.2-b"]
    assert typed("sumx s") == ["sweep"]
    assert typed("runx status --logroot gone ") == []


def test_the_ways_to_write_a_table_are_completed(typed):
    assert typed("sumx sweep --format latex_") == ["latex_booktabs", "latex_longtable", "latex_raw"]
    assert typed("sumx sweep --format pa") == ["parquet"]


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish_completes_what_bash_does(project, tmp_path):
    places = {name: str(tmp_path / name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    project.runx("--install-completion", "fish", **places)

    def typed(line):
        command = ["fish", "-c", f"complete -C {shlex.quote(line)}"]
        environment = {**project.environment, **places}
        lines = subprocess.check_output(command, cwd=project.path, env=environment, text=True)
        return [line.split("\t")[0] for line in lines.splitlines()]

    assert typed("runx st") == ["status"]
    assert typed("runx sweep.yml o") == ["opt="]
    assert typed("runx gone.yml o") == []


# ^X tells what stands on the line when TAB has done its work.
_ZSHRC = """\
PS1=
fpath+=$HOME/.zfunc
autoload -Uz compinit; compinit -u -D
show() { print -r -- "<<$BUFFER>>"; zle kill-whole-line }
zle -N show; bindkey '^X' show
print "<<ready>>"
"""


@contextlib.contextmanager
def zsh(cwd, home, environment):
    """Start a zsh at a terminal; gives what asks it for the line that TAB makes of one."""
    (home / ".zshrc").write_text(_ZSHRC)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(cwd)
        os.execvpe("zsh", ["zsh", "-d", "-i"], {**environment, "HOME": str(home), "TERM": "dumb"})

    def answer():
        screen, deadline = "", time.monotonic() + 60
        while ">>" not in screen:
            assert time.monotonic() < deadline, screen
            if select.select([terminal], [], [], 1)[0]:
                screen += os.read(terminal, 4096).decode(errors="replace")
        return screen.partition("<<")[2].partition(">>")[0]

    def typed(line):
        os.write(terminal, f"{line}\t\x18".encode())
        return answer()

    try:
        assert answer() == "ready"
        yield typed
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(terminal)


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh_completes_at_every_tab_and_leaves_no_space_where_more_comes(project, tmp_path):
    home = tmp_path / "home"
    project.runx("--install-completion", "zsh", HOME=str(home))
    project.write("sub/other.yaml", "")
    with zsh(project.path, home, project.environment) as typed:
        assert typed("runx stat") == "runx status "
        assert typed("runx sweep.yml o") == "runx sweep.yml opt="
        assert typed("runx su") == "runx sub/"
        assert typed("runx sweep.yml --resu") == "runx sweep.yml --resume "
        assert typed("runx gone.yml o") == "runx gone.yml o"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_each_shell_is_written_where_it_looks(project, tmp_path, shell):
    places = {name: str(tmp_path / name) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    done = project.runx("--install-completion", shell, **places)
    written = done.stdout.splitlines()
    assert len(written) == len(PROGRAMS)
    for path, program in zip(written, PROGRAMS, strict=True):
        text = Path(path).read_text()
        assert f"_{program.upper()}_COMPLETE" in text
        if shutil.which(shell):
            subprocess.run([shell, "-n", path], check=True)
    assert "new shells complete" in done.stderr


def test_a_place_that_cannot_be_written_is_told(project, tmp_path):
    (tmp_path / "file").touch()
    data = str(tmp_path / "file")
    done = project.runx("--install-completion", "bash", status=2, XDG_DATA_HOME=data)
    assert "can't be written" in done.stderr
