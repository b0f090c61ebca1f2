"""The code of a run that starts again: what it was staged with, or today's."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable

from runx.cmdline.runscript import script
from runx.disk.record import staged_code
from runx.files import write_whole
from runx.launching.making import Kit, spread
from runx.rundir import RunDir
from runx.staging import stage
from runx.types import Run


def restage(kit: Kit, run: Run, say: Callable[[str], None]) -> None:
    """Give a run today's code, and keep what it had as code.1, code.2, ..."""
    here = run.dir
    if staged_code(here) == kit.code and here.code.exists():
        return
    fresh = here.path / f"code.{secrets.token_hex(4)}.new"
    stage(kit.frozen, fresh, kit.method)
    if here.code.exists():
        kept = here.path / f"code.{max(_kept(here), default=0) + 1}"
        say(f"{run.name}: today's code is another; what it was staged with is {kept.name}")
        here.code.rename(kept)
    fresh.rename(here.code)
    write_whole(here.script, script(run, kit.around, spread(kit.experiment, run)))


def mend(run: RunDir) -> None:
    """Put back the code of a run whose restaging never came to its end, and clear that away."""
    for begun in run.path.glob("code.*.new"):
        shutil.rmtree(begun)
    kept = _kept(run)
    if not run.code.exists() and kept:
        (run.path / f"code.{kept[-1]}").rename(run.code)


def _kept(run: RunDir) -> list[int]:
    names = (path.name.removeprefix("code.") for path in run.path.glob("code.*"))
    return sorted(int(name) for name in names if name.isdecimal())
