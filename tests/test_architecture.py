"""The law of the house: packages import downwards only, and start-up stays light.

The arrows are read from docs/architecture.md. An import counts wherever it stands: at the top of a
module, inside of a function, under TYPE_CHECKING, or as text in a table of modules that are
imported when they are asked for.
"""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "runx"
MAP = ROOT / "docs" / "architecture.md"

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
DOORS = ("runx", "__main__", "sumx", "logx")
"""Rooms that users enter by; nothing inside imports them, but for logx's own name."""


def room(module):
    """Return the package of a module, or the module itself where it stands in runx/ directly."""
    return module.split(".")[1] if "." in module else module


def named(text):
    """Return the module that a dotted text names, or that holds what it names."""
    while text and text not in MODULES:
        text = text.rpartition(".")[0]
    return text


def texts_of(tree):
    """Return what is written as text in a module that may name another, f-strings included.

    >>> texts_of(ast.parse("import_module(f'runx.cli.{name}'); {'slurm': 'runx.farms.slurm:FARM'}"))
    ['runx.farms.slurm', 'runx.cli.']
    """
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]
    matches = (re.match(r"runx\.[a-z_.]+", text) for text in texts)
    return [match[0] for match in matches if match]


def imports_of(module):
    """Return the modules of runx that a module imports, wherever and however."""
    tree = ast.parse(MODULES[module].read_text())
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    inside = {named(name) for name in names if name.split(".")[0] == "runx"}
    inside |= {named(text.rstrip(".")) for text in texts_of(tree)} - {"runx"}  # such as runx.yml
    return inside - {module, ""}


IMPORTS = {module: imports_of(module) for module in MODULES}


def floors():
    """Read the arrows of the map: each room, and its height above the ground."""
    block = re.search(r"^## The arrows\n.*?^```text\n(.*?)^```", MAP.read_text(), re.M | re.S)[1]
    levels = [re.findall(r"\w+", level) for level in block.split("<")]
    return {name: height for height, level in enumerate(levels) for name in level}


def test_every_room_is_on_the_map():
    assert {room(module) for module in MODULES} == floors().keys()


def test_the_packages_are_a_graph_without_a_circle():
    graph = {}
    for module, imported in IMPORTS.items():
        graph.setdefault(room(module), set()).update(room(name) for name in imported)
    for name, imported in graph.items():
        imported.discard(name)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"packages import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module):
    heights = floors()
    own = heights[room(module)]
    wrong = {
        name
        for name in IMPORTS[module]
        if room(name) != room(module) and heights[room(name)] >= own
    }
    assert wrong == set()


def test_modules_of_a_package_are_imported_without_a_circle():
    """Circles between modules need imports inside of functions to run at all: none is allowed."""
    graph = {
        module: {name for name in imported if MODULES[name].name != "__init__.py"}
        for module, imported in IMPORTS.items()
        if module not in ("runx", "runx.__main__")
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


MEASURING = {"logx", "lightning", "transformers", "tracking"}
SHARED = {"sweeps", "rundir", "errors", "nearest", "version", "processes", "home", "locks"}


def test_the_measuring_side_knows_nothing_of_the_launch_side():
    """Training scripts import logx: what it stands on is shared, and nothing else knows of it."""
    for module, imported in IMPORTS.items():
        rooms = {room(name) for name in imported}
        if room(module) in MEASURING:
            assert rooms <= MEASURING | SHARED, module
        elif room(module) not in DOORS:
            assert not rooms & MEASURING, module


def test_public_names_of_the_package_are_no_modules():
    import runx

    modules = {name.split(".")[1] for name in MODULES if name.count(".") == 1}
    assert set(runx.__all__) & modules == {"logx"}


ALONE = {
    "processes": ("Popen(", "subprocess.run(", "os.system(", "os.popen(", "os.fork(", "os.kill"),
    "locks": ("flock(", "lockf("),
}
"""What one module alone may do: start, fork and signal programs; lock files."""


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("owner", ALONE)
def test_one_module_alone_starts_processes_and_one_alone_locks_files(module, owner):
    source = MODULES[module].read_text()
    assert room(module) == owner or [word for word in ALONE[owner] if word in source] == []


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_reads_what_was_typed(module):
    if room(module) not in ("cli", "runx", "sumx", "logx"):
        tree = ast.parse(MODULES[module].read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""  # it may be a program for another machine
        source = ast.unparse(tree)
        assert not re.search(r"\bsys\.(orig_)?argv\b", source)
        assert not re.search(r"^\s*(import|from) click\b", source, re.M)


def test_every_test_mirrors_a_module():
    """tests/ has the folders of runx/; a file's name begins with that of the module it is about."""
    strangers = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        folder = path.parent.relative_to(ROOT / "tests")
        names = [name.stem for name in (PACKAGE / folder).glob("*.py")]
        name = path.stem.removeprefix("test_")
        if str(folder) != "." and not any(f"{name}_".startswith(f"{one}_") for one in names):
            strangers.append(str(path.relative_to(ROOT)))
    assert strangers == []


HEAVY = (
    "torch",
    "tensorboardX",
    "numpy",
    "jinja2",
    "tabulate",
    "pandas",
    "coolname",
    "rich",
    "textual",
)


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
    report = "; ".join(
        [
            "import atexit, sys",
            f"heavy = lambda: [name for name in {HEAVY} if name in sys.modules]",
            "atexit.register(lambda: print(heavy(), file=sys.stderr))",
            program,
        ]
    )
    done = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"
