"""Which frozen code a run has, as run.json and the claims of its attempts have it."""

from __future__ import annotations

from collections.abc import Iterator

from runx.errors import StoreError
from runx.files import read_json
from runx.rundir import RunDir


def staged_code(run: RunDir) -> str | None:
    """Return the digest of a run's code: its latest claim's that names one, or its own."""
    try:
        return next(codes(run), None)
    except StoreError:
        return _first(run)  # status tells of a damaged claim.


def codes(run: RunDir) -> Iterator[str]:
    """Yield the digests of all the code that a run has had, the latest first."""
    numbers = [path.stem for path in run.attempts.glob("*.claim") if path.stem.isdecimal()]
    for number in sorted(map(int, numbers), reverse=True):
        if code := read_json(run.claim(number)).get("code"):
            yield str(code)
    if code := _first(run):
        yield code


def _first(run: RunDir) -> str | None:
    code = read_json(run.record).get("code")
    return str(code) if code else None
