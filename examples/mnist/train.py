"""Train a small convolutional network on MNIST, which torchvision downloads once.

python train.py --data ~/mnist --epochs 2
"""

import argparse
import os
import sys

import torch
from torch import nn

from runx.logx import logx

try:
    from torchvision import datasets, transforms
except ModuleNotFoundError:
    sys.exit("train.py: MNIST is read by torchvision, which is missing; pip install torchvision")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--momentum", type=float, default=0.5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", default="~/.cache/mnist")
    parser.add_argument("--logdir")
    return parser.parse_args()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip

    def forward(self, images):
        return self.layers(images)


def mnist(root, train, batch_size):
    to_tensor = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )
    images = datasets.MNIST(os.path.expanduser(root), train, to_tensor, download=True)
    return torch.utils.data.DataLoader(images, batch_size, shuffle=train)


def train(model, batches, optimizer, device, epoch):
    model.train()
    for step, (images, labels) in enumerate(batches):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            logx.add_scalar("train/loss", loss.item(), epoch * len(batches) + step)
    logx.metric("train", {"loss": loss.item()}, epoch)


def validate(model, batches, device):
    model.eval()
    loss = right = 0
    with torch.no_grad():
        for images, labels in batches:
            scores, labels = model(images.to(device)), labels.to(device)
            loss += nn.functional.cross_entropy(scores, labels, reduction="sum").item()
            right += (scores.argmax(1) == labels).sum().item()
    count = len(batches.dataset)
    return {"loss": loss / count, "accuracy": 100 * right / count}


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    logx.initialize(logdir=args.logdir, tensorboard=True)

    model = Net().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    train_batches = mnist(args.data, True, args.batch_size)
    val_batches = mnist(args.data, False, 1000)
    for epoch in range(args.epochs):
        train(model, train_batches, optimizer, device, epoch)
        metrics = validate(model, val_batches, device)
        logx.metric("val", metrics, epoch)
        logx.save_model(
            {"epoch": epoch, "state_dict": model.state_dict()}, metrics["accuracy"], epoch
        )
        logx.msg(f"epoch {epoch}: accuracy {metrics['accuracy']:.2f}%")


if __name__ == "__main__":
    main()
