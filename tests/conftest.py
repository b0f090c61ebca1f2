import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from skips import pytest_addoption, pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_addoption", "pytest_make_collect_report", "pytest_runtest_makereport"]

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534

# The helpers that tests import or start hold no tests.
collect_ignore = ["support"]

# On a loaded machine each example may take long.
settings.register_profile("runx", deadline=None)
settings.load_profile("runx")


def pytest_configure() -> None:
    """Draw the seed of random tests, once for all processes, unless RUNX_SEED is set."""
    os.environ.setdefault("RUNX_SEED", str(random.randrange(1 << 32)))


def pytest_report_header() -> str:
    """Return the line with the seed."""
    return f"RUNX_SEED={os.environ['RUNX_SEED']}"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user, in which runx, sumx and python are those of this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("runx", "sumx"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runx.{name} "$@"\n')
        command.chmod(0o755)
    # The interpreter's own folder would bring whatever else is installed there.
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "python").chmod(0o755)
    home = tmp_path_factory.mktemp("home")
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith(("RUNX_", "GIT_"))
    }
    return {
        **environment,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may read and write."""
    folder = Path(tempfile.mkdtemp(prefix="runx-test-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_ordinary_user() -> Callable[[Callable[[], None]], None]:
    """A function that calls another in a child process, as a user without root's rights."""

    def call(function: Callable[[], None]) -> None:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setresgid(NOBODY, NOBODY, NOBODY)
                    os.setresuid(NOBODY, NOBODY, NOBODY)
                function()
                status = 0
            except BaseException:  # noqa: BLE001 - the parent reports it.
                traceback.print_exc()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "see stderr"

    return call
