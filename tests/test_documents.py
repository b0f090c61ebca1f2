"""The blocks of README.md and docs/, each document run in a folder of its own.

A block of YAML or Python whose first line is `# name` becomes the file of that name; Python without
one is run. A YAML file that holds CMD is planned at once (`runx FILE -n`); one without, a .runx,
applies to what follows.
A ```console block is typed into one shell: `$ command` lines with the output they must give, in
which `...` stands for anything and a line of `...` for any lines. There the folder is called
/home/me/project, any name and date may stand for a run's (but for the NAME-1 that `-n` shows), and
spaces and rules may be longer or shorter. A command that fails is followed by `$ echo $?`. What
can't be run here is preceded by `<!-- not run: why -->`, and counted below.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from documents import DOCUMENTS, ROOT, Block, blocks

from runx.cli.launch import launch
from runx.config.keys import KEYS
from runx.runx import COMMANDS

NOT_RUN = {
    "README.md": 1,
    "docs/report.md": 2,
    "docs/logx.md": 4,
    "docs/farms.md": 2,
    "docs/top.md": 1,
}
HOME = "/home/me/project"
RUNNABLE = ("console", "yaml", "python")


def steps(console: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block, and its expected output."""
    for step in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, *output = step.splitlines()
        while command.endswith("\\") or ("<<" in command and command.count("EOF") == 1):
            command += "\n" + output.pop(0).removeprefix("> ")
        yield command, output


def normalized(text: str, folder: Path | None = None) -> str:
    """Return the text without what differs from call to call, and with single spaces."""
    if folder:
        text = text.replace(str(folder), HOME)
    date = r"_\d{4}\.\d\d\.\d\d_\d\d\.\d\d"
    text = re.sub(rf"[a-z]+(-[a-z]+)+{date}", "NAME", text)
    text = re.sub(rf"(NAME-\d+){date}", r"\1", text)
    lines = (re.sub(r"-{3,}", "---", re.sub(r"[ \t]+", " ", line)) for line in text.splitlines())
    return "\n".join(line.strip() for line in lines)


def pattern(expected: list[str]) -> str:
    lines = [
        r"(?:.*\n)*?"
        if line.strip() == "..."
        else re.escape(normalized(line)).replace(r"\.\.\.", ".*") + "\n"
        for line in expected
    ]
    return "".join(lines)


def typed(console: str, folder: Path, env: dict[str, str]) -> list[tuple[str, int]]:
    """Run the commands in one shell; return the output and the exit status of each."""
    script = "".join(
        f"{{ {command}\n}} 2>&1 </dev/null; s=$?; printf '\\n\\036%s\\036' $s; (exit $s)\n"
        for command, _ in steps(console)
    )
    shell = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert not shell.stderr, shell.stderr
    parts = shell.stdout.split("\x1e")
    return [(output, int(status)) for output, status in zip(parts[::2], parts[1::2], strict=False)]


def check_console(block: Block, folder: Path, env: dict[str, str]) -> None:
    commands = list(steps(block.text))
    assert commands, "a console block without a `$ command`"
    outcomes = typed(block.text, folder, env)
    for index, ((command, expected), (output, status)) in enumerate(
        zip(commands, outcomes, strict=True)
    ):
        may_fail = index + 1 < len(commands) and commands[index + 1][0] == "echo $?"
        assert status == 0 or may_fail, f"$ {command}\nended with {status}:\n{output}"
        text = normalized(output.strip("\n"), folder)
        assert re.fullmatch(pattern(expected), text + "\n" if text else ""), (
            f"$ {command}\ngave\n{output}\nnot\n" + "\n".join(expected)
        )


def check_python(block: Block, folder: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        ["python", "-c", block.text], cwd=folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "False" not in done.stdout, done.stdout


def check_file(block: Block, folder: Path, env: dict[str, str]) -> None:
    first = block.text.partition("\n")[0]
    assert re.fullmatch(r"# [\w./-]+", first), "the first line must be `# file name`"
    path = folder / first.removeprefix("# ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)
    if block.language == "yaml" and re.search("^CMD:", block.text, re.MULTILINE):
        planned = subprocess.run(
            ["runx", path, "-n"], cwd=folder, env=env, capture_output=True, text=True, timeout=60
        )
        assert planned.returncode == 0, planned.stderr
        assert planned.stdout, "it makes no runs"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_block_of_a_document_does_what_it_says(name, installed, tmp_path):
    for block in blocks(DOCUMENTS[name].read_text()):
        if block.why_not or block.language not in RUNNABLE:
            continue
        check = check_console if block.language == "console" else check_file
        if block.language == "python" and not re.match(r"# [\w./-]+$", block.text, re.MULTILINE):
            check = check_python
        try:
            check(block, tmp_path, installed)
        except AssertionError as error:
            message = str(error).partition("\nassert ")[0]
            pytest.fail(f"{name}:{block.line}: {message}", pytrace=False)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_blocks_that_are_not_run_say_why_and_are_few(name):
    skipped = [block for block in blocks(DOCUMENTS[name].read_text()) if block.why_not]
    assert len(skipped) == NOT_RUN.get(name, 0)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_fence_has_a_language(name):
    text = DOCUMENTS[name].read_text()
    all_blocks = list(blocks(text))
    assert len(all_blocks) * 2 == len(re.findall("^```", text, re.MULTILINE))
    assert all(block.language for block in all_blocks)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files_and_headings_that_are_there(name):
    text = DOCUMENTS[name].read_text()
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        file = DOCUMENTS[name].parent / target if target else DOCUMENTS[name]
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            slugs = [
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
            ]
            assert anchor in slugs, f"{target}#{anchor}"


def test_every_key_is_explained_with_its_default():
    text = (ROOT / "docs/yaml.md").read_text() + (ROOT / "docs/runx-file.md").read_text()
    for name, key in KEYS.items():
        [section] = re.findall(rf"^## {name}\n(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert key.default_text in section, f"{name}: {key.default_text}"
        choices = [word for word in key.kind.schema.get("enum", ()) if isinstance(word, str)]
        assert [word for word in choices if word and f"`{word}`" not in section] == [], name
    documented = re.findall(r"^## ([A-Z_]+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(KEYS)


def test_the_readme_names_every_command_and_every_flag_of_a_launch():
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Commands and flags") : text.index("| exit status |")]
    flags = [
        {name.replace("-", "_") for name in (*option.opts, *option.secondary_opts)}
        for option in launch.params
        if isinstance(option, click.Option)
    ]
    documented = {name.replace("-", "_") for name in re.findall(r"`([^` ]+)[^`]*`", section)}
    assert [names for names in flags if not names & documented] == []
    words = set(re.findall(r"[\w-]+", " ".join(re.findall("`([^`]+)`", section))))
    assert set(COMMANDS) <= words


def test_documents_that_messages_name_are_there():
    for source in (ROOT / "runx").rglob("*.py"):
        for name in re.findall(r"\bdocs/[\w-]+\.md", source.read_text()):
            file = ROOT / name
            assert file.is_file(), f"{source} names {name}"


def test_install_lines_name_our_distribution_never_the_other_runx():
    texts = [
        path
        for pattern in ("*.md", "docs/*.md", "runx/**/*", "examples/**/*", "Makefile", "*.cff")
        for path in ROOT.glob(pattern)
        if path.is_file() and path.suffix not in (".pyc", ".pth") and "runs" not in path.parts
    ]
    lines = [
        (path, line)
        for path in texts
        for line in path.read_text(errors="replace").splitlines()
        if re.search(r"\b(pipx?|uv|pip3)\b.* install\b", line) or "pip install" in line
    ]
    assert lines
    for path, line in lines:
        # The benchmarks measure the original, pinned.
        named = line.replace("runx==0.0.11", "")
        assert not re.search(r"install\b[^`\n]*?\s['\"]?runx(?![\w-]*-sweeps)\b", named), (
            f"{path}: {line}"
        )


@pytest.mark.parametrize(
    "console",
    [
        "$ echo one\ntwo\n",
        "$ echo one\n",
        "$ true\none\n",
        "$ printf 'one\\ntwo\\n'\none\n",
        "$ false\n",
        "$ (exit 3)\n$ echo $?\n2\n",
        "echo one\n",
    ],
)
def test_a_block_that_does_not_do_what_it_says_is_found(console, installed, tmp_path):
    with pytest.raises(AssertionError):
        check_console(Block(1, "console", console, None), tmp_path, installed)


@pytest.mark.parametrize(
    "console",
    [
        "$ echo one two three\none ... three\n",
        "$ seq 9\n1\n...\n9\n",
        "$ seq 2\n1\n2\n...\n",
        "$ printf 'a   b\\n-------  --\\n'\na b\n---- --\n",
        "$ (exit 3)\n$ echo $?\n3\n",
        "$ x=5\n$ echo $x > there\n$ cat there\n5\n",
        "$ cat <<EOF\n> one\n> EOF\none\n",
        "$ echo one \\\n>   two\none two\n",
    ],
)
def test_a_block_that_does_what_it_says_passes(console, installed, tmp_path):
    check_console(Block(1, "console", console, None), tmp_path, installed)
