"""Start-up: the time before every command, and before every training script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import BARE, OURS, PEERS, Python, has, timed
from benchmarks.turns import Case, Cost, Job

_HYDRA = "import hydra; hydra.main(version_base=None)(lambda config: None)()"


def jobs(full: bool) -> Iterator[Job]:
    """Yield the jobs of starting up."""
    rounds = 41 if full else 11
    yield Job("help", "`runx --help`, `sumx --help`", "at most 5 x", _helps(), rounds=rounds)
    yield Job("import", "`from runx.logx import logx`", "at most 2.5 x", _imports(), rounds=rounds)


def _helps() -> list[Case]:
    cases = [
        _call("`python -c pass`", BARE, BARE.words("-c", "pass")),
        _call("python, click and yaml imported", OURS, OURS.words("-c", "import click, yaml")),
        _call("**runx --help**", OURS, OURS.entry("runx", "--help")),
        _call("**sumx --help**", OURS, OURS.entry("sumx", "--help")),
        _call("runx launch --help", OURS, OURS.entry("runx", "launch", "--help")),
    ]
    if has(PEERS, "runx"):
        for name in ("runx", "sumx"):
            cases.append(_call(f"original {name} --help", PEERS, PEERS.entry(name, "--help")))
    if has(PEERS, "hydra"):
        cases.append(
            _call("hydra, an application's --help", PEERS, PEERS.words("-c", _HYDRA, "--help"))
        )
    return cases


def _imports() -> list[Case]:
    logx = ("-c", "from runx.logx import logx")
    cases = [
        _call("`python -c pass`", BARE, BARE.words("-c", "pass")),
        _call("**runx**", OURS, OURS.words(*logx)),
    ]
    if has(PEERS, "runx"):
        cases.append(_call("original", PEERS, PEERS.words(*logx)))
    return cases


def _call(name: str, python: Python, words: list[str]) -> Case:
    def measure(ground: Path, empty: Path) -> Cost:
        return timed(words, empty, python)

    return Case(name, measure)
