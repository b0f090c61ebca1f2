"""``python -m benchmarks.search``: play searches, print the tables, put them into a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.search import price, regret, stopping, warm
from benchmarks.tables import put

_TABLES = ("regret", "warm", "rules", "hours", "price")


def main() -> int:
    """Play what is named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"some of {', '.join(_TABLES)}")
    parser.add_argument("--seeds", type=int, default=24, help="how often each search is played")
    parser.add_argument("--samplers", help="those to play, with commas; all that are installed")
    kept = Path(".bench/search.jsonl")
    parser.add_argument(
        "--kept", type=Path, default=kept, help="what was played, kept for next time"
    )
    parser.add_argument("--show", action="store_true", help="play nothing: print what is kept")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into FILE")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(_TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(_TABLES)}")
    for name in given.tables or _TABLES:
        text = _table(name, given)
        print(text, flush=True)
        if given.write:
            given.write.write_text(put(given.write.read_text(), f"search-{name}", text))
    return 0


def _table(name: str, given: argparse.Namespace) -> str:
    if name == "regret":
        return _regret(given)
    if name == "price":
        return price.table()
    makers = {"warm": warm.table, "rules": stopping.rules_table, "hours": stopping.hours_table}
    return makers[name](given.seeds)


def _regret(given: argparse.Namespace) -> str:
    all_makers = regret.makers()
    names = given.samplers.split(",") if given.samplers else list(all_makers)
    given.kept.parent.mkdir(parents=True, exist_ok=True)
    if not given.show:
        for row in regret.play({name: all_makers[name] for name in names}, given.seeds, given.kept):
            print(*regret.key_of(row), f"{row['regrets'][-1]:.3g}", file=sys.stderr, flush=True)
    rows = regret.rows(given.kept)
    return regret.table(rows, [n for n in all_makers if any(r["sampler"] == n for r in rows)])


if __name__ == "__main__":
    sys.exit(main())
