"""Teach a small network to read handwritten digits; logx keeps what it learns.

python train.py --lr 0.1 --epochs 5
"""

import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from runx.logx import logx

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="sgd")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--logdir")
    return parser.parse_args()


def digits(batch_size):
    """1,797 scanned digits of 8 x 8 pixels; a fifth of them, always the same, to validate on."""
    pixels, labels = load_digits(return_X_y=True)
    pixels = torch.tensor(pixels / 16, dtype=torch.float32)
    labels = torch.tensor(labels)
    train, val = train_test_split(
        range(len(labels)), test_size=0.2, stratify=labels, random_state=0
    )
    return (
        DataLoader(TensorDataset(pixels[train], labels[train]), batch_size, shuffle=True),
        DataLoader(TensorDataset(pixels[val], labels[val]), batch_size=512),
    )


def run_epoch(model, batches, optimizer=None):
    """Mean loss and accuracy in percent; trains where there is an optimizer."""
    loss_sum = right = seen = 0
    with torch.set_grad_enabled(optimizer is not None):
        for pixels, labels in batches:
            scores = model(pixels)
            loss = nn.functional.cross_entropy(scores, labels)
            if optimizer:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_sum += loss.item() * len(labels)
            right += (scores.argmax(1) == labels).sum().item()
            seen += len(labels)
    return {"loss": round(loss_sum / seen, 4), "accuracy": round(100 * right / seen, 2)}


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # so that runs side by side don't fight for cores
    logx.initialize(logdir=args.logdir)

    train, val = digits(args.batch_size)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = OPTIMIZERS[args.optimizer](model.parameters(), lr=args.lr)

    start = logx.restore(model=model, optimizer=optimizer)  # 0, unless it was cut short before
    for epoch in range(start, args.epochs):
        logx.metric("train", run_epoch(model, train, optimizer), epoch)
        metrics = run_epoch(model, val)
        logx.metric("val", metrics, epoch)
        state = {"state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}
        logx.save_model(state, metrics["accuracy"], epoch)
        logx.msg(f"epoch {epoch}: loss {metrics['loss']}, accuracy {metrics['accuracy']}%")


if __name__ == "__main__":
    main()
