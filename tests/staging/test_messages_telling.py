from __future__ import annotations

from pathlib import Path

import pytest

from runx.staging import messages
from runx.staging.freeze import freeze
from runx.staging.messages import cautions, summary
from runx.staging.store import Rules


def test_a_launch_says_what_it_froze_and_what_it_left_out(checkout: Path, store: Path):
    (checkout / ".gitignore").write_text("data/\nbuild\n")
    for name in ("data/x", "build/x", "a.pyc", "b.pyc", "c.pyc", "w.pth", "env/pyvenv.cfg"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("x")
    (checkout / "net" / "__pycache__").mkdir()
    rules = Rules(checkout)
    assert summary(freeze(rules, store)) == (
        "froze 4 files, under 1 kB; left out w.pth (*.pth), 3 (*.pyc), env/ (virtual environment); "
        "git ignores build/, data/"
    )
    assert summary(freeze(rules, store)).startswith("found frozen: 4 files, under 1 kB; left out ")


def test_where_nothing_was_left_out_nothing_is_said_of_it(project: Path, store: Path):
    frozen = freeze(Rules(project), store)
    assert summary(frozen) == "froze 3 files, under 1 kB"
    assert cautions(frozen) == ()


def test_large_code_is_warned_about(project: Path, store: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(messages, "LARGE", 1_000_000)
    (project / "model.bin").write_bytes(b"x" * 1_200_000)
    (warning,) = cautions(freeze(Rules(project), store))
    assert warning.startswith("1.2 MB of code is much; the largest: model.bin (1.2 MB), ")
    assert "CODE_LINKS" in warning


def test_with_none_nothing_was_frozen(project: Path, store: Path):
    frozen = freeze(Rules(project, mode="none"), store)
    assert summary(frozen) == f"froze nothing: runs start in {project} itself"
