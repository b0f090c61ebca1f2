"""argparse, and TensorBoard's events in a folder of the working directory."""

import argparse

from torch.utils.tensorboard import SummaryWriter

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()

writer = SummaryWriter()  # runs/<date>_<host>
for epoch in range(3):
    for batch in range(4):
        writer.add_scalar("Loss/train", args.lr / (1 + batch), epoch * 4 + batch)
    writer.add_scalar("Accuracy/val", 0.5 + 0.1 * epoch - args.lr, epoch)
writer.close()
