"""Find the bottom of a bowl: a training script that any machine of a farm can run.

python train.py --lr 0.1 --solver sgd
"""

import argparse

from runx.logx import logx

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--solver", choices=["sgd", "sign"], required=True)
parser.add_argument("--logdir")
args = parser.parse_args()

logx.initialize(logdir=args.logdir)
position = 1.0
for epoch in range(10):
    slope = 2 * position
    position -= args.lr * (slope if args.solver == "sgd" else (slope > 0) - (slope < 0))
    logx.metric("val", {"loss": round(position**2, 6)}, epoch)
