"""Fit a polynomial to a sine by gradient descent: a training script that takes no time.

python fit.py --arch cubic --lr 0.3
"""

import argparse
import math

from runx.logx import logx

DEGREES = {"line": 1, "cubic": 3, "quintic": 5}
POINTS = [(x / 20, math.sin(math.pi * x / 20)) for x in range(-20, 21)]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--arch", choices=DEGREES, default="line")
    parser.add_argument("--lr", type=float, default=0.3)
    parser.add_argument("--momentum", action="store_true")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--logdir")
    return parser.parse_args()


def errors(weights):
    """How far the polynomial is from the sine at each point."""
    return [sum(w * x**i for i, w in enumerate(weights)) - y for x, y in POINTS]


def step(weights, speeds, lr, momentum):
    """Move the weights once downhill."""
    misses = errors(weights)
    for i in range(len(weights)):
        slope = sum(miss * x**i for miss, (x, _) in zip(misses, POINTS, strict=True)) / len(POINTS)
        speeds[i] = momentum * speeds[i] - lr * slope
        weights[i] += speeds[i]


def main():
    args = arguments()
    logx.initialize(logdir=args.logdir)
    weights = [0.0] * (DEGREES[args.arch] + 1)
    speeds = [0.0] * len(weights)
    for epoch in range(args.epochs):
        step(weights, speeds, args.lr, 0.9 if args.momentum else 0.0)
        if epoch % 20 == 19:
            rmse = math.sqrt(sum(miss**2 for miss in errors(weights)) / len(POINTS))
            logx.metric("val", {"rmse": round(rmse, 4)}, epoch)
    logx.msg(f"{args.arch}: rmse {rmse:.4f}")


if __name__ == "__main__":
    main()
