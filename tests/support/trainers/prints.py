"""A script that prints, and nothing else."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()

for epoch in range(1, 4):
    for batch in range(5):
        print(f"\rEpoch {epoch}: {batch}/5 loss={args.lr / (1 + batch):.3f}", end="")
    print(f"\nEpoch {epoch}: val acc: {90 + epoch - 10 * args.lr:.2f}%")
