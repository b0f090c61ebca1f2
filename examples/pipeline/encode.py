"""Make a text, and split it into characters or words: what both seeds of both alphas train on."""

import argparse
import json
import random
from pathlib import Path

TEXT = "the owl sees a red fox near the old tree and the fox runs to a blue lake"
WORDS = TEXT.split()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--level", choices=("char", "word"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rng = random.Random(0)
    words = [WORDS[int(len(WORDS) * rng.random() ** 1.5)] for _ in range(4000)]
    tokens = words if args.level == "word" else list(" ".join(words))
    names = sorted(set(tokens))
    ids = [names.index(token) for token in tokens]
    args.out.write_text(json.dumps({"names": names, "ids": ids}))
    print(f"{len(ids)} tokens, {len(names)} of them different")


if __name__ == "__main__":
    main()
