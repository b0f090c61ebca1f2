"""Logging: the time that a training script waits, and the CPU time in all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import OURS, PEERS, Python, has, self_timed
from benchmarks.turns import Case, Cost, Job


def jobs(full: bool) -> Iterator[Job]:
    """Yield the one job of logging."""
    calls = 20_000 if full else 2_000
    yield Job(
        "metric",
        "`logx.metric('val', ...)` with five metrics",
        "at most 2 x without TensorBoard; with it at most 5 x in the caller, 10 x CPU in all",
        list(_cases(calls)),
        calls,
        11 if full else 3,
    )


def _cases(calls: int) -> Iterator[Case]:
    yield _case("csv.writer and flush", OURS, "floor", calls)
    yield _case("**runx**, TensorBoard off", OURS, "off", calls)
    yield _case("**runx**, TensorBoard on", OURS, "on", calls)
    if has(PEERS, "runx") and has(PEERS, "torch"):
        yield _case("original, TensorBoard off", PEERS, "off", calls)
        yield _case("original, TensorBoard on", PEERS, "on", calls)


def _case(name: str, python: Python, way: str, calls: int) -> Case:
    def measure(ground: Path, empty: Path) -> Cost:
        return self_timed(python.script("inside", "metric", way, empty, calls), empty, python)

    return Case(name, measure)
