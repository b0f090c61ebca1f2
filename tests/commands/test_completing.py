"""Completion as bash asks for it, with the script that is installed."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from runx.commands.shells import PROGRAMS, SHELLS


@pytest.fixture
def typed(project, tmp_path):
    """Give what bash completes to when TAB is typed after a line."""
    data = tmp_path / "data"
    project.runx("--install-completion", "bash", XDG_DATA_HOME=str(data))
    scripts = data / "bash-completion" / "completions"

    def completed(line: str) -> list[str]:
        words = shlex.split(line) + ([""] if line.endswith(" ") else [])
        program = words[0]
        told = (
            f"source {scripts / program}\n"
            f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}\n"
            f"function=$(complete -p {program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
            f'$function {program}\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
        )
        done = subprocess.run(
            ["bash", "-c", told],
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
    assert typed("runx s") == ["status", "show", "schema", "sub/", "sweep.yml"]
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


def test_experiments_and_runs_are_completed_wherever_they_are_asked_for(typed, project):
    project.runx("sweep.yml", "-i", "RUN_NAME={lr}-{opt}")
    assert typed("runx status s") == ["sweep"]
    assert typed("runx logs sweep 0.1") == ["0.1-a", "0.1-b"]
    assert typed("runx show 0.2-") == ["0.2-a", "0.2-b"]
    assert typed("sumx s") == ["sweep"]
    assert typed("runx status --logroot gone ") == []


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
