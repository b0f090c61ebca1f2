"""The code of a run that starts again: what it was staged with, or today's."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator

from runx.cmdline.runscript import script
from runx.errors import StoreError
from runx.files import read_json, write_whole
from runx.launching.making import Kit, spread
from runx.rundir import RunDir
from runx.staging import stage
from runx.types import Run


def staged_code(run: RunDir) -> str | None:
    """Give the digest of the code that a run has: its latest claim's that names one, or its own."""
    try:
        return next(codes(run), None)
    except StoreError:
        return _own(run)  # status tells of a damaged claim.


def codes(run: RunDir) -> Iterator[str]:
    """Give the digests of all the code that a run has had, the latest first."""
    numbers = [path.stem for path in run.attempts.glob("*.claim") if path.stem.isdecimal()]
    for number in sorted(map(int, numbers), reverse=True):
        if code := read_json(run.claim(number)).get("code"):
            yield str(code)
    if own := _own(run):
        yield own


def _own(run: RunDir) -> str | None:
    code = read_json(run.record).get("code")
    return str(code) if code else None


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
