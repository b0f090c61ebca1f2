import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# What tests import or start: no tests of its own.
collect_ignore = ["support"]

# A loaded machine is no failure: no test is judged by its time.
settings.register_profile("runx", deadline=None)
settings.load_profile("runx")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment as a user's, in which runx, sumx and python are those of this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("runx", "sumx"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runx.{name} "$@"\n')
        command.chmod(0o755)
    # The interpreter's own folder would bring whatever else is installed there.
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "python").chmod(0o755)
    home = tmp_path_factory.mktemp("home")
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("RUNX_", "GIT_"))
    }
    return {
        **kept,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
