"""Values in the places that CMD has for them, executed by a real bash: each word is exact."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runx.rundir.argv import arguments, is_execable, shell_command, unplaced
from runx.rundir.logdir import Logdir
from runx.rundir.placement import (
    PlacementError,
    placement,
    placement_of,
    refusal,
    trimmed,
    unmatched,
)
from runx.rundir.styles import Style
from runx.sweeps.values import Hparam, Point

PIECES = ["$(touch PWNED)", "`touch PWNED`", "'", '"', "\\", "$", "\n", " ", "a", "HOME", ";", "é"]
PIECES += ["${x}", "#", "!", "*", "~", "{a,b}", "{x}", "EOF", "-c", "&", "|", ">f", "(", "=", "-"]
PIECES += ["LOGDIR", "{args}", "\udcff", "\\n", "\t", "'; touch PWNED; '"]
VALUES = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
LINES = VALUES.map(lambda value: value.replace("\n", " "))
LISTS = st.lists(VALUES.map(lambda value: value.lstrip("-")), max_size=3).map(tuple)
SHOW = "show.py"
HERE = Logdir.as_variable()


def text(name, value):
    return Hparam(name, value, value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("shown")
    (made / SHOW).write_text(
        "import os, sys\n"
        "words = [os.fsencode(word) for word in sys.argv[1:]]\n"
        "sys.stdout.buffer.write(b''.join(word + b'\\0' for word in words) + b'\\1')\n"
    )
    (made / "show").write_text(f'#!/bin/sh\nexec {sys.executable} -S "{made}/{SHOW}" "$@"\n')
    (made / "show").chmod(0o755)
    skip = "while case $1 in -p) shift;; -*) ;; *) false;; esac; do shift; done; shift"
    (made / "ssh").write_text(f'#!/bin/sh\n{skip}\nexec sh -c "$*"\n')
    (made / "ssh").chmod(0o755)
    return made


def shown(folder, script, **variables):
    """Return the arguments of each time that show was executed."""
    done = subprocess.run(
        ["bash", "--norc", "--noprofile"],
        input=script.encode("utf-8", "surrogateescape"),
        env={"PATH": f"{folder}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "x": "of the shell"}
        | variables,
        cwd=folder,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert not (folder / "PWNED").exists()
    output = done.stdout.decode("utf-8", "surrogateescape")
    return [tuple(each.split("\0")[:-1]) for each in output.split("\1")[:-1]]


# Where {x} and {args} may stand, and what the program is given of them.
EXACT = [
    ("show {x}", [["X", "ARGS"]]),
    ("show a{x}b --k={x}", [["aXb", "--k=X", "ARGS"]]),
    ('show "{x}" "a {x} b"', [["X", "a X b", "ARGS"]]),
    ("show '{x}' 'a {x}'", [["X", "a X", "ARGS"]]),
    ("show $'\\t{x}'", [["\tX", "ARGS"]]),
    ("show {x} {args}", [["X", "ARGS"]]),
    ("show {args} last | cat", [["ARGS", "last"]]),
    ("show {args} && show {x}", [["ARGS"], ["X"]]),
    ("show {args} || true", [["ARGS"]]),
    ("(show {args})", [["ARGS"]]),
    ("{ show {args}; }", [["ARGS"]]),
    ("for i in 1 2; do show $i {args}; done", [["1", "ARGS"], ["2", "ARGS"]]),
    ("show {args} # {x} is it", [["ARGS"]]),
    ('V={x} show {args}; show "$V"', [["ARGS"], [""]]),
    ('V={x}; show "$V" {args}', [["X", "ARGS"]]),
    ("show \\\n  {x} \\\n  {args}", [["X", "ARGS"]]),
    ('show "$(printf %s {x}.)" {args}', [["X.", "ARGS"]]),
    ('bash -c "show {args}"', [["ARGS"]]),
    ("bash -c 'show {args}'", [["ARGS"]]),
    ("sh -c 'show \"{x}\" {args}'", [["X", "ARGS"]]),
    ("sh -ec \"cd . && show '{x}' {args}; true\"", [["X", "ARGS"]]),
    ('bash -c "sh -c \\"show {args}\\""', [["ARGS"]]),
    ("sh -c 'show \"$@\" end' name {args}", [["ARGS", "end"]]),
    ("env -i PATH=\"$PATH\" sh -c 'show {args}'", [["ARGS"]]),
    ("sh -c -e 'show {x} {args}'", [["X", "ARGS"]]),
    ("bash -c -- 'show {x} {args}'", [["X", "ARGS"]]),
    ("bash -c -u -o pipefail 'show {x} {args}'", [["X", "ARGS"]]),
    ("eval bash -c \"'show {x} {args}'\"", [["X", "ARGS"]]),
    ("eval sh -c '\"show {x} {args}\"'", [["X", "ARGS"]]),
    ("eval show {args}", [["ARGS"]]),
    ("ssh -p 22 host ssh host show {x} {args}", [["X", "ARGS"]]),
    ("ssh host sh -c \"'show {x} {args}'\"", [["X", "ARGS"]]),
    ("ssh host \"ssh host 'show {x} {args}'\"", [["X", "ARGS"]]),
    ("eval 'show {args}'", [["ARGS"]]),
    ('run() { show "$@"; }; run {args}', [["ARGS"]]),
    ("if true; then show {args}; fi", [["ARGS"]]),
    ("echo 1 | xargs show {x} {args}", [["X", "ARGS", "1"]]),
    ("find . -maxdepth 0 -exec show {x} {} {args} \\;", [["X", ".", "ARGS"]]),
    ("show ${x} {a,b} @{x}", [["of", "the", "shell", "a", "b", "@X", "ARGS"]]),
    ("awk 'BEGIN {print 1}' >/dev/null; show {args}", [["ARGS"]]),
    ("echo 1 | xargs -I{x} show {x} {args}", [["1", "ARGS"]]),
    ("show HEAD@{upstream} \\{x} {args}", [["HEAD@{upstream}", "{x}", "ARGS"]]),
]


@pytest.mark.parametrize(("cmd", "calls"), EXACT)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=VALUES, other=VALUES, items=LISTS)
def test_each_value_is_a_word_wherever_it_stands(folder, cmd, calls, value, other, items):
    if "-I{x}" in cmd:
        other, items = other.replace("{x}", ""), ()  # xargs itself replaces it
    if ";" in (value, other, *items):
        value, other, items = "a", "b", ()  # find itself ends at it
    point = Point((text("x", value), text("o", other), Hparam("l", items, items)))
    if "x" not in placement_of(cmd, point).names:
        point = Point(point.hparams[1:])
    logdir = Logdir.at("/log dir")
    words = {"ARGS": tuple(logdir.in_value(arguments(point, cmd=cmd)))}
    value = logdir.in_value(value)
    meant = [
        tuple(w for word in call for w in words.get(word, (word.replace("X", value),)))
        for call in calls
    ]
    assert shown(folder, shell_command(cmd, point, logdir)) == meant
    assert shown(folder, shell_command(cmd, point, HERE), RUNX_LOGDIR="/log dir") == meant


def test_lists_truth_values_and_none_where_they_are_placed(folder):
    point = Point(
        (
            Hparam("l", (1, "a b"), ("1", "a b")),
            Hparam("t", True, None),
            Hparam("n", None, None),
            Hparam("e", (), ()),
        )
    )
    cmd = 'show {l} "{l}" --l={l} {t} {n} x{n} {e}'
    line = shell_command(cmd, point, HERE)
    assert shown(folder, line) == [("1", "a b", "1 a b", "--l=1 a b", "True", "", "x")]
    json = Style(list="json", bool="value")
    assert shown(folder, shell_command("show {l}", point, HERE, json))[0][0] == '[1, "a b"]'
    hydra = Style("hydra", "", "value", "")
    line = shell_command("show l={l} t={t} n={n}", point, HERE, hydra)
    assert shown(folder, line) == [("l=[1,'a b']", "t=true", "n=null", "e=[]")]


def test_all_values_in_a_word_are_one_text_for_another_shell(folder):
    point = Point((text("b", "2 3"),))
    for cmd in ("show --a={args}", "show '--a={args}'", 'show "--a={args}"'):
        assert shown(folder, shell_command(cmd, point, HERE)) == [("--a=--b '2 3'",)]


def test_split_makes_the_words_that_a_shell_would(folder):
    split = Style(split="true")
    point = Point((text("m", "audio 'a b' $(touch PWNED)"), text("s", "x --flag --key k")))
    assert shown(folder, shell_command("show", point, HERE, split)) == [
        ("--m", "audio", "a b", "$(touch", "PWNED)", "--s", "x", "--flag", "--key", "k")
    ]
    assert shown(folder, shell_command("show {s} {args}", point, HERE, split))[0][:4] == (
        ("x", "--flag", "--key", "k")
    )


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=LINES)
def test_a_document_that_no_shell_reads_holds_values_as_text(folder, value):
    point = Point((text("x", value),))
    for mark in ("EOF", "'EOF'"):
        line = shell_command(f"cat <<{mark}\nx: {{x}}\nEOF", point, Logdir.at("/d"))
        done = subprocess.run(
            ["bash", "-c", line.encode("utf-8", "surrogateescape")], capture_output=True, cwd=folder
        )
        meant = f"x: {value.replace('LOGDIR', '/d')}\n"
        assert done.stdout == meant.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "cmd",
    [
        "bash <<EOF\nshow {x}\nEOF",
        "show `echo {x}`",
        "sh -c {x}",
        "show $((1 + {x}))",
        "cat <<EOF\n$(echo {x})\nEOF",
        "[[ {x} -eq 1 ]]",
        "python3 -c \"print('{x}')\"",
        "srun python3 -uc \"print('{x}')\"",
        "uv run node --eval \"print('{x}')\"",
        "fish -c 'show {x}'",
    ],
)
def test_where_a_shell_or_another_language_would_compute_a_value_it_is_refused(cmd):
    with pytest.raises(PlacementError, match=r"CMD: the value .* can't stand"):
        shell_command(cmd, Point((text("x", "a[$(date)]"),)), HERE)
    assert "7" in shell_command(cmd, Point((Hparam("x", 7, "7"),)), HERE)


@pytest.mark.parametrize(
    "cmd",
    ["bash <<EOF\nshow {x} {args}\nEOF", "show `echo {x} {args}`", "sh <<'E'\nshow {x} {args}\nE"],
)
def test_words_that_need_no_quotes_may_stand_where_a_shell_reads_them_again(folder, cmd):
    point = Point((text("x", "1e-3"), text("b", "-2"), Hparam("l", (1, "c"), ("1", "c"))))
    assert shown(folder, shell_command(cmd, point, HERE)) == [
        ("1e-3", "--b", "-2", "--l", "1", "c")
    ]
    for other in (text("b", "a b"), Hparam("l", ("a b",), ("a b",))):
        with pytest.raises(PlacementError, match="can't stand"):
            shell_command(cmd, Point((text("x", "1"), other)), HERE)
    with pytest.raises(PlacementError, match="can't stand"):
        shell_command(cmd.replace("{args}", "--l={args}"), point, HERE)


def test_no_value_is_an_operator_of_double_brackets(folder):
    cmd = "[[ {x} == -e ]] && show {args}"
    point = Point((text("x", "-e"), text("o", "1")))
    assert shown(folder, shell_command(cmd, point, HERE)) == [("--o", "1")]


def test_an_option_c_of_a_script_takes_a_value_as_it_is(folder):
    point = Point((text("x", "a b"),))
    assert shown(folder, shell_command("show -c {x}", point, HERE)) == [("-c", "a b")]
    line = shell_command("show -c '{x}'", point, HERE)
    assert shown(folder, line) == [("-c", "a b")]


def test_what_is_placed_is_not_in_the_environment_nor_in_the_file():
    point, env = Point((text("a", "1"), text("b", "2"))), Style("env", "space", "value", "HP_")
    assert shell_command("x {a} | tee y", point, HERE, env) == "export HP_B=2; x 1 | tee y"
    file = Style("file", "", "value", "")
    assert shell_command("x {a}", point, Logdir.at("/d"), file) == "x 1 --config /d/config.yaml"
    line = shell_command("x '{config}' {a} | tee", point, HERE, file)
    assert line == "x ''\"$RUNX_LOGDIR\"'/config.yaml' 1 | tee"
    assert [each.name for each in unplaced("x {a}", point, file).hparams] == ["b"]
    assert unplaced("x {a}", point, file, kept={"a": ()}) == point


def test_names_have_dots_and_args_may_stand_anywhere():
    point = Point((text("opt.lr", "1"), text("b", "2")))
    assert shell_command("x {opt.lr} {args} y", point, HERE) == "x 1 --b 2 y"
    assert placement("x {args}", ()).names == ("{args}",)
    assert shell_command("x {args} | y", Point(()), HERE) == "x  | y"


def test_one_program_is_execable_with_places():
    point = Point((text("lr", "1"),))
    assert is_execable("python x.py {lr} {args}", point)
    assert not is_execable("python x.py {lr} {x}", point)


def test_a_backslash_at_the_end_joins_nothing():
    assert trimmed("x \\\n") == "x"
    assert trimmed("x \\\n \\\n") == "x"
    assert trimmed("x \\\\") == "x \\\\"


@pytest.mark.parametrize(
    ("cmd", "line"),
    [
        ("python x.py || true", "python x.py {args} || true"),
        ("python x.py && echo done", "python x.py {args} && echo done"),
        ("python x.py # main", "python x.py {args} # main"),
        ('bash -c "python x.py"', 'bash -c "python x.py {args}"'),
        ("python x.py | tee log", "python x.py {args} | tee log"),
        ("set -e\npython x.py;\n", "python x.py {args};"),
        ("python x.py &", "python x.py {args} &"),
        ("(python x.py)", "(python x.py {args})"),
        ("python x.py {lr} | tee log", "python x.py {lr} {args} | tee log"),
        ("python x.py # {args}", "python x.py {args} # {args}"),
        ("f() { python x.py; }; f", "f() { python x.py {args}; }; f"),
        ("bash -c 'python x.py \"$1\"' _", "bash -c 'python x.py \"$1\" {args}' _"),
        ("bash -c -l 'python x.py'", "bash -c -l 'python x.py {args}'"),
        ('sbatch --wrap="python x.py"', 'sbatch --wrap="python x.py {args}"'),
        ("ssh h bash -c \"'python x.py'\"", "ssh h bash -c \"'python x.py {args}'\""),
        ("eval 'eval '\\''(x)'\\'''", "eval 'eval '\\''(x)'\\'' {args}'"),
    ],
)
def test_where_the_end_is_not_the_scripts_the_line_to_write_is_shown(cmd, line):
    problem = refusal(cmd, ("seed", "lr"))
    assert problem.endswith(f"for one of them: {line}")
    assert "by {args}, or by {seed}" in problem
    assert refusal(cmd, ("seed", "lr"), "env") == ""
    assert refusal(cmd, ()) == ""


def test_two_pairs_of_braces_are_refused():
    assert refusal("x {{ lr }}", ("lr",)).startswith("{{ lr }}: write {lr}")
    assert refusal("docker ps --format '{{.Names}}'", ("lr",)) == ""


def test_names_that_are_nearly_hyperparameters_are_told():
    assert unmatched("x {learning_rat} {arg} {n:d} ${lrs} {print}", ["learning_rate", "n"]) == {
        "learning_rat": "learning_rate",
        "arg": "args",
        "n:d": "n",
    }
    assert unmatched("xargs -I{lrr} x {lrr} @{upstream}", ["lr", "upstreams"]) == {}
