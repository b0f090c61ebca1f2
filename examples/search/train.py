"""Teach a network of numpy to read handwritten digits; runx chooses how, and stops what won't do.

python train.py --lr 0.1 --width 32
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits

from runx.logx import logx


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--logdir")
    return parser.parse_args()


def digits():
    """1,797 scanned digits of 8 x 8 pixels; a fifth of them, always the same, to validate on."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    train, val = np.split(order, [int(0.8 * len(order))])
    return (pixels[train] / 16, labels[train]), (pixels[val] / 16, labels[val])


def forward(weights, pixels):
    """Return what the hidden layer gives, and the probability of each digit."""
    hidden = np.maximum(pixels @ weights[0], 0)
    scores = hidden @ weights[1]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def gradients(weights, pixels, labels):
    hidden, wrong = forward(weights, pixels)
    wrong[np.arange(len(labels)), labels] -= 1
    wrong /= len(labels)
    return pixels.T @ (wrong @ weights[1].T * (hidden > 0)), hidden.T @ wrong


def loss_of(weights, pixels, labels):
    _, found = forward(weights, pixels)
    return -np.log(found[np.arange(len(labels)), labels] + 1e-12).mean()


def main():
    args = arguments()
    logx.initialize(logdir=args.logdir)
    (pixels, labels), val = digits()
    source = np.random.default_rng(args.seed)
    sizes = ((64, args.width), (args.width, 10))
    weights = [source.normal(0, size[0] ** -0.5, size) for size in sizes]
    steps = [np.zeros_like(each) for each in weights]
    for epoch in range(1, args.epochs + 1):
        for batch in np.array_split(source.permutation(len(labels)), 45):
            found = gradients(weights, pixels[batch], labels[batch])
            for weight, step, gradient in zip(weights, steps, found, strict=True):
                step *= args.momentum
                step -= args.lr * gradient
                weight += step
        logx.metric("val", {"loss": round(float(loss_of(weights, *val)), 5)}, epoch)
        if logx.should_stop():
            break


if __name__ == "__main__":
    main()
