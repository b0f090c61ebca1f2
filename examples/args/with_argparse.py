"""Print what argparse was told."""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--name")
parser.add_argument("--amp", action="store_true")
parser.add_argument("--sizes", type=int, nargs="+")
parser.add_argument("--optimizer.momentum", type=float, dest="momentum")
print(json.dumps(vars(parser.parse_args())))
