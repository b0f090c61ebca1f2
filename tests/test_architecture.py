"""The floors of the house: imports point down, and start-up stays light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "runx"


def floors():
    """Read the lists of docs/architecture.md: room to height, the ground being 0."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    floors = re.findall(r"^### \w+\n(.*?)(?=^#|\n\n(?!- )|\Z)", text, re.MULTILINE | re.DOTALL)
    heights = {}
    for height, rooms in enumerate(reversed(floors)):
        lists = re.findall(r"^- ((?:`[\w/]+`(?:, )?)+)", rooms, re.MULTILINE)
        for word in "".join(lists).split("`")[1::2]:
            heights[word.strip("/")] = height
    return heights


MEASURING = {"logx", "tracking", "training", "writers", "metrics", "tables"}
LAUNCHING = {"settings", "sweeps", "cmdline", "plans", "staging", "farms", "machine", "launching"}


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """Name the rooms that a module imports when it is imported, not inside a function."""
    tree = ast.parse(path.read_text())
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.If, ast.Try)):
            pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("runx"):
            if node.module == "runx":
                yield from (alias.name for alias in node.names)
            else:
                yield node.module.split(".")[1]


MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def test_every_room_is_on_the_map():
    known = floors()
    rooms = {room(path) for path in MODULES} - {"__init__", "__main__"}
    assert sorted(rooms - known.keys()) == []
    assert sorted(known.keys() - rooms) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    known = floors()
    own = room(path)
    if own in ("__init__", "__main__"):
        return
    up = [other for other in imports(path) if other in known and known[other] > known[own]]
    assert up == []


def test_the_measuring_side_knows_nothing_of_the_launch_side():
    crossed = {
        (room(path), other)
        for path in MODULES
        for other in imports(path)
        if (room(path) in MEASURING and other in LAUNCHING)
        or (room(path) in LAUNCHING and other in MEASURING)
    }
    assert crossed == set()


ALONE = {
    "processes": ("Popen(", "subprocess.run(", "os.system(", "os.popen(", "os.fork(", "os.kill"),
    "locks": ("flock(", "lockf("),
}
"""What one room alone may do: to start, fork and signal programs; to lock files."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_command_line_alone_knows_click_and_what_was_typed(path):
    if room(path) in ("commands", "runx", "sumx", "__main__"):
        return
    tree = ast.walk(ast.parse(path.read_text()))
    imported = [
        name
        for node in tree
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        if re.match(r"(click|runx\.commands)\b", name)
    ]
    assert imported == []
    assert not re.search(r"\bsys\.argv\b|\borig_argv\b", _code(path))


def _code(path):
    """Return a module without the texts in it, such as a program for another machine."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.unparse(tree)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
@pytest.mark.parametrize("owner", ALONE)
def test_one_room_alone_starts_processes_and_one_alone_locks_files(path, owner):
    source = path.read_text()
    assert room(path) == owner or [word for word in ALONE[owner] if word in source] == []


HEAVY = ("torch", "tensorboardX", "numpy", "jinja2", "tabulate", "pandas", "coolname", "rich")


@pytest.mark.parametrize(
    "program",
    [
        "import runx",
        "from runx.logx import logx",
        "import sys; sys.argv = ['runx', '--help']; from runx.runx import main; main()",
        "import sys; sys.argv = ['runx', 'launch', '--help']; from runx.runx import main; main()",
        "import sys; sys.argv = ['sumx', '--help']; from runx.sumx import main; main()",
    ],
)
def test_nothing_heavy_is_loaded_at_start(program):
    told = "; ".join(
        [
            "import atexit, sys",
            f"heavy = lambda: [name for name in {HEAVY} if name in sys.modules]",
            "atexit.register(lambda: print(heavy(), file=sys.stderr))",
            program,
        ]
    )
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
