"""The regret of samplers on each function, at several widths, with what was played before kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.search.functions import FUNCTIONS, Function
from benchmarks.search.loops import Searcher, played
from benchmarks.search.peers import PEERS

TRIALS = 60
WIDTHS = (1, 8, 32)


def play(
    makers: Mapping[str, Callable[[Function, int, int], Searcher]], seeds: int, kept: Path
) -> Iterator[dict[str, Any]]:
    """Play all that isn't kept yet, a seed of everything before the next; yield what was played."""
    done = {key_of(row) for row in rows(kept)}
    for seed in range(seeds):
        for sampler, make in makers.items():
            for name, function in FUNCTIONS.items():
                for width in WIDTHS:
                    row = {"sampler": sampler, "function": name, "width": width, "seed": seed}
                    if key_of(row) in done:
                        continue
                    result = played(function, make(function, seed, TRIALS), TRIALS, width, seed)
                    row |= {"regrets": result.regrets, "seconds": round(result.seconds, 3)}
                    row["day"] = time.strftime("%Y-%m-%d")
                    with kept.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    yield row


def rows(kept: Path) -> list[dict[str, Any]]:
    """Return what was played earlier."""
    return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []


def key_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what names a row."""
    return row["sampler"], row["function"], row["width"], row["seed"]


def table(all_rows: Iterable[Mapping[str, Any]], samplers: Sequence[str]) -> str:
    """Return the median regrets as a Markdown table: a row for each function and width."""
    found: dict[tuple[Any, ...], list[float]] = {}
    for row in all_rows:
        found.setdefault(key_of(row)[:3], []).append(row["regrets"][-1])
    lines = [
        f"| function | at a time | {' | '.join(samplers)} |",
        "|---" * (len(samplers) + 2) + "|",
    ]
    for name in FUNCTIONS:
        for width in WIDTHS:
            cells = [_cell(found.get((sampler, name, width), [])) for sampler in samplers]
            lines.append(f"| {name} | {width} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(regrets: Sequence[float]) -> str:
    return f"{median(regrets):.3g} ({len(regrets)})" if regrets else ""


def makers() -> Mapping[str, Callable[[Function, int, int], Searcher]]:
    """Return all samplers by their names: ours, and the peers'."""
    from benchmarks.search.ours import OURS

    return {**OURS, **PEERS}
