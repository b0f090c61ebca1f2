"""Output that can't be written or is not read, and text that a terminal would obey."""

import os
import pty
import subprocess
from pathlib import Path

import click
import pytest

ESCAPE = "a\x1b]0;owned\x07b\x1b[2Jc\x9bd\u202ee"
LOOKS = (["sweep.yml", "-n"], ["sweep.yml", "-n", "--table"], ["schema"], ["config", "sweep.yml"])


def output(project, words, stdout, **environment):
    return subprocess.run(
        ["runx", *words],
        cwd=project.path,
        env={**project.environment, **environment},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        timeout=120,
    )


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_output_that_finds_no_room_is_one_line_and_status_74(project, words):
    (project.path / "runs").mkdir()
    project.write(".runx", "LOGROOT: runs\n")
    with open("/dev/full", "w") as full:
        done = output(project, words, full)
    assert (done.returncode, "Traceback" in done.stderr) == (74, False)
    assert "No space left on device" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [*LOOKS, ["--help"]], ids=" ".join)
def test_output_that_nobody_reads_ends_quietly_with_status_141(project, words):
    (project.path / "runs").mkdir()
    project.write(".runx", "LOGROOT: runs\n")
    reading, writing = os.pipe()
    os.close(reading)
    done = output(project, words, writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_runs_start_though_nobody_reads_what_a_launch_says(project):
    reading, writing = os.pipe()
    os.close(reading)
    done = output(project, ["sweep.yml", "-i"], writing)
    os.close(writing)
    assert done.returncode == 0
    assert len(project.argvs()) == 4


def test_a_stdout_that_is_closed_is_no_fault(project):
    script = 'exec runx sweep.yml -n >&- 2>"$0"'
    command = ["bash", "-c", script, "errors"]
    done = subprocess.run(command, cwd=project.path, env=project.environment, timeout=60)
    assert done.returncode == 0
    assert "Traceback" not in (project.path / "errors").read_text()


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_any_text_is_printed_in_any_encoding(project, encoding):
    project.write("sweep.yml", "CMD: python train.py\nHPARAMS: {lr: ['ü', '→']}\n")
    for words in LOOKS[:2]:
        done = output(project, words, subprocess.PIPE, PYTHONIOENCODING=encoding)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def on_terminal(project, words):
    """Return what a command prints on a terminal, stderr included."""
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        ["runx", *words],
        cwd=project.path,
        env={**project.environment, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
    )
    os.close(writing)
    shown = b""
    try:
        while part := os.read(reading, 1 << 16):
            shown += part
    except OSError:
        pass
    process.wait(timeout=60)
    os.close(reading)
    return shown.decode()


def test_no_command_passes_an_escape_on_to_a_terminal(project):
    value = ESCAPE.encode("unicode_escape").decode()
    text = f'CMD: python train.py\nLOGROOT: runs\nHPARAMS: {{lr: "{value}", "k{value}": [1, 2]}}\n'
    project.write("sweep.yml", text + f'NOTE: "{value}"\n')
    project.write(".runx", "LOGROOT: runs\n")
    looks = [*LOOKS, ["sweep.yml", "-n", "--json"], [f"no{ESCAPE}.yml"], ["show", ESCAPE]]
    for words in looks:
        shown = on_terminal(project, words)
        assert not set(ESCAPE) - set("abcde]0;owned[2J") & set(shown), words
    project.runx("sweep.yml", "-i")
    for words in (["status", "sweep"], ["show", "sweep"], ["status", "sweep", "--json"]):
        shown = on_terminal(project, words)
        assert not {"\x07", "\x9b", "\u202e"} & set(shown), words
        assert "\x1b]" not in shown


def test_a_script_s_colours_are_shown_and_nothing_else_of_its_escapes(project):
    project.write("train.py", 'print("\\x1b[31mred\\x1b[0m\\x1b]0;owned\\x07")\n')
    project.write(".runx", "LOGROOT: runs\n")
    project.runx("sweep.yml", "-i", "lr=0.1", "opt=a")
    shown = on_terminal(project, ["logs", "sweep"])
    assert "\x1b[31mred\x1b[0m" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown


def test_an_error_is_one_line_whatever_names_hold(project):
    done = project.runx("a\nb\x1b[31m.yml", "-n", status=2)
    assert done.stderr == "runx: a\\nb\\x1b[31m.yml: no such file; check the name\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["sweep", "-n"], "sweep.yml"),
        (["run", "sweep.yml"], "sweep.yml"),
        (["stat", "sweep.yml"], "status"),
    ],
)
def test_a_first_word_that_is_no_file_gets_what_was_likely_meant(project, words, meant):
    done = project.runx(*words, status=2)
    assert done.stderr == f"runx: no command or file {words[0]}; did you mean runx {meant}?\n"


def test_flags_may_precede_the_file(project):
    assert project.runx("-n", "sweep.yml").stdout


def test_a_current_folder_that_was_removed_is_named(project):
    (project.path / "gone").mkdir()
    script = "cd gone; rmdir ../gone; exec runx status"
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.path, env=project.environment, capture_output=True
    )
    assert done.returncode == 74
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["stop", "sweep"], "cancel sweep"), (["list"], "ls"), (["tail", "a b"], "logs 'a b'")],
)
def test_words_of_other_tools_are_answered_with_ours(project, words, meant):
    done = project.runx(*words, status=2)
    assert done.stderr == f"runx: no command or file {words[0]}; runx {meant} does that\n"


def test_every_option_of_launch_is_in_one_group_and_help_names_the_docs(project):
    from runx.cli.launch import launch
    from runx.cli.launch_options import GROUPS

    grouped = [name for names in GROUPS.values() for name in names]
    options = {each.name for each in launch.params if isinstance(each, click.Option)}
    assert sorted(grouped) == sorted(options)
    for words in (["--help"], ["sweep.yml", "--help"], ["launch", "-h"]):
        folder = project.runx(*words).stdout.strip().splitlines()[-1].removeprefix("Docs: ")
        assert (Path(folder) / "yaml.md").is_file()
