"""Values filled into shell text, executed by a real bash: each word is exact, nothing else runs."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runx.errors import ExpressionError
from runx.sweeps.shellfill import FIRST_MARK, Filling, fill

MARK = chr(FIRST_MARK)
PIECES = ["$(touch PWNED)", "`touch PWNED`", "'", '"', "\\", "$", "\n", " ", "a", "HOME", ";"]
PIECES += ["${x}", "#", "!", "*", "~", "{a,b}", "EOF", "-c", "&", "|", ">f", "(", ")", "=", "é"]
PIECES += [
    "a[$(touch PWNED)]",
    "0",
    "\t",
    "\\n",
    "'; touch PWNED; '",
    '"; touch PWNED; "',
    "\udcff",
]
VALUES = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)

SHOW = "printf '%s\\0' "

# Where a value may be whatever it is, and what bash is to make of it.
EXACT = [
    ("@", "{}"),
    ("x@y", "x{}y"),
    ('"@"', "{}"),
    ('"x @ y"', "x {} y"),
    ("'@'", "{}"),
    ("'x @ y'", "x {} y"),
    ("$'\\t@'", "\t{}"),
    ('"$HOME@"', "/h{}"),
    ("$HOME@", "/h{}"),
    ('"it\'s @"', "it's {}"),
    ("--x=@", "--x={}"),
    ('"$(printf %s "@" x)"', "{}x"),
    ("\"$(printf %s '@' x)\"", "{}x"),
    ('"\\"@\\""', '"{}"'),
    ("'it'\\''s @'", "it's {}"),
    ('"$(sh -c "printf %s @ x")"', "{}x"),
    ("\"$(sh -c 'printf %s @ x')\"", "{}x"),
    ('"$(bash -c "printf %s \'@\' x")"', "{}x"),
    ('"$(bash -c \'printf %s "@" x\')"', "{}x"),
    ('"$(bash -lc \'sh -c "printf %s @ x"\')"', "{}x"),
    ('"$(eval "printf %s @ x")"', "{}x"),
    ('"$(A+=1 builtin eval "printf %s @ x")"', "{}x"),
    ('"$(eval printf %s @ x)"', "{}x"),
    ('"$(eval sh -c "\'printf %s @ x\'")"', "{}x"),
    ('"$(./submit --wrap="printf %s @ x")"', "{}x"),
    ('"$(./submit --wrap "printf %s @ x")"', "{}x"),
]

# Where only what no shell reads may stand.
REFUSED = [
    "`echo @`",
    "$((1 + @))",
    "$((@))",
    '"$((a[@]))"',
    "$[@]",
    "${x:-@}",
    '"${x:-@}"',
    "${HOME:@}",
    "x; [[ @ -eq 1 ]]",
    "x; let @",
    "x; declare @",
    "x; test -v @",
    "x; a[@]=1",
    "\\@",
    "$@",
    '"$@"',
    "x; cat <<EOF\n@\nEOF\n",
    "x; cat <<'EOF'\n@\nEOF\n",
    "x; cat <<-E\n\t@\n\tE\n",
    "x; bash <<EOF\nprintf %s '@'\nEOF\n",
    'x; bash <<< "printf %s @"',
    "x; python3 -c \"print('@')\"",
    '"$(case a in a) printf %s @;; esac)"',
]


def bash(folder, script):
    submit = folder / "submit"
    if not submit.exists():
        submit.write_text('#!/bin/sh\ntext=${1#--wrap}; text=${text#=}\nexec sh -c "${text:-$2}"\n')
        submit.chmod(0o755)
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script.encode("utf-8", "surrogateescape")],
        env={"PATH": "/usr/bin:/bin", "HOME": "/h", "LC_ALL": "C.UTF-8"},
        cwd=folder,
        capture_output=True,
        timeout=20,
    )
    return done.stdout.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(("context", "meant"), EXACT)
@settings(max_examples=20)
@given(value=VALUES)
def test_a_value_in_quotes_is_exact_whatever_it_is(tmp_path_factory, context, meant, value):
    folder = tmp_path_factory.mktemp("x")
    filled = fill(SHOW + context.replace("@", MARK), {MARK: Filling((value,))})
    assert bash(folder, filled) == meant.replace("{}", value) + "\0"
    assert not (folder / "PWNED").exists()


def test_a_value_in_a_remark_stays_on_its_line():
    filled = fill(f"printf x # it's {MARK}\nprintf y", {MARK: Filling(("'$(date)",))})
    assert filled == "printf x # it's '$(date)\nprintf y"
    with pytest.raises(ExpressionError, match="can't stand in a comment"):
        fill(f"x # {MARK}", {MARK: Filling(("a\ntouch PWNED",))})


@pytest.mark.parametrize("context", REFUSED)
@settings(max_examples=25)
@given(value=VALUES)
def test_where_bash_would_compute_a_value_it_is_refused(tmp_path_factory, context, value):
    folder = tmp_path_factory.mktemp("x")
    try:
        filled = fill(SHOW + context.replace("@", MARK), {MARK: Filling((value,))})
    except ExpressionError as error:
        assert "\n" not in str(error)
        return
    bash(folder, filled)
    assert not (folder / "PWNED").exists()


@pytest.mark.parametrize("context", REFUSED)
def test_what_would_be_executed_is_refused_with_the_place(context):
    with pytest.raises(ExpressionError, match="can't stand"):
        fill(SHOW + context.replace("@", MARK), {MARK: Filling(("a[$(touch PWNED)]",))})


@pytest.mark.parametrize("context", [one for one in REFUSED if "[@" not in one and "$@" not in one])
def test_a_plain_number_may_stand_nearly_everywhere(context):
    if "\\@" not in context:
        assert "7" in fill(SHOW + context.replace("@", MARK), {MARK: Filling(("7",))})


CODE = Filling(("python x.py --a '$(touch PWNED)' \"it's\"",), is_code=True)
AS_ONE_WORD = ["-c @", '-c "@"', "-c '@'", '--wrap "@"', "--wrap=@", "'@'"]


@pytest.mark.parametrize("context", AS_ONE_WORD)
def test_a_command_is_one_word_for_the_shell_that_it_is_given_to(tmp_path, context):
    filled = fill(SHOW + context.replace("@", MARK), {MARK: CODE})
    word = bash(tmp_path, filled).split("\0")[-2]
    assert word.removeprefix("--wrap=") == CODE.text


@pytest.mark.parametrize(
    "context",
    [
        'sh -c "@"',
        "sh -c '@'",
        "sh -c @",
        "bash -c 'true && @'",
        "bash -c \"sh -c '@'\"",
        "eval @",
        "bash <<EOF\n@\nEOF",
        "bash <<'EOF'\n@\nEOF",
    ],
)
def test_a_command_is_executed_by_the_shell_that_it_is_given_to(tmp_path, context):
    code = Filling(("printf '%s|' '$(touch PWNED)' \"it's\"",), is_code=True)
    filled = fill(context.replace("@", MARK), {MARK: code})
    assert bash(tmp_path, filled) == "$(touch PWNED)|it's|"
    assert not (tmp_path / "PWNED").exists()


def test_a_hyperparameter_is_not_executed_as_a_command():
    with pytest.raises(ExpressionError, match="can't stand as a whole command"):
        fill(f'sh -c "{MARK}"', {MARK: Filling(("$(touch PWNED)",), is_given=True)})
