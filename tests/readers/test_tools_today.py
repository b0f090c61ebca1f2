"""What today's releases of other tools write, read once: .ci/tools installs and runs them."""

import os
import subprocess
from pathlib import Path

import pytest
from make_samples import TOOLS
from tool_samples import check_sample

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("RUNX_TOOLS", ROOT / ".venv-tools" / "bin" / "python"))
GUILD = os.environ.get("RUNX_GUILD", ROOT / ".venv-tools" / "guild" / "bin" / "guild")

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_writes_today_is_read(tool, tmp_path):
    if not PYTHON.exists():
        pytest.skip("no tools here; .ci/tools installs them")
    done = subprocess.run(
        [PYTHON, ROOT / "tests" / "support" / "make_samples.py", tmp_path, tool],
        env={**os.environ, "RUNX_GUILD": str(GUILD), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    check_sample(tool, tmp_path / tool)
