"""The loss of a model on the end of the text, which no training has seen."""

import argparse
import json
import math
from itertools import pairwise
from pathlib import Path

from runx.logx import logx


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path)
    args = parser.parse_args()
    model = json.loads(args.model.read_text())
    ids = json.loads(args.data.read_text())["ids"]
    ids = ids[-len(ids) // 10 :]
    likely = [model[a][b] for a, b in pairwise(ids)]
    logx.initialize()
    logx.metric("val", {"perplexity": math.exp(-sum(map(math.log, likely)) / len(likely))}, 0)


if __name__ == "__main__":
    main()
