"""Count which token follows which, on a part of the text that the seed chooses."""

import argparse
import json
import math
import random
from itertools import pairwise
from pathlib import Path

from runx.logx import logx


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--level")
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    data = json.loads(args.data.read_text())
    size, ids = len(data["names"]), data["ids"]
    ids, held_out = ids[: -len(ids) // 5], ids[-len(ids) // 5 : -len(ids) // 10]
    rng = random.Random(args.seed)
    counts = [[args.alpha] * size for _ in range(size)]

    logx.initialize()
    for epoch in range(1, 6):
        start = rng.randrange(len(ids) // 2)
        for a, b in pairwise(ids[start : start + len(ids) // 5]):
            counts[a][b] += 1
        loss = -sum(math.log(counts[a][b] / sum(counts[a])) for a, b in pairwise(held_out)) / len(
            held_out
        )
        logx.metric("val", {"loss": loss}, epoch)
    model = [[count / sum(row) for count in row] for row in counts]
    Path(logx.run.logdir, "model.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main()
