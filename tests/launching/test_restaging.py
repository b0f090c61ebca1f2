import pytest

from runx.launching.restaging import mend
from runx.rundir import RunDir


@pytest.fixture
def run(tmp_path):
    made = RunDir(tmp_path)
    made.attempts.mkdir()
    made.record.write_text('{"version": 1, "code": "first"}')
    return made


def test_what_a_killed_launcher_left_is_put_back(run):
    for name in ("code.2", "code.10", "code.ab.new"):
        (run.path / name).mkdir()
    mend(run)
    assert sorted(path.name for path in run.path.glob("code*")) == ["code", "code.2"]
    mend(run)
    assert (run.path / "code.2").exists()
