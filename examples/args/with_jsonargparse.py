"""Print what jsonargparse was told."""

import json

from jsonargparse import ArgumentParser

parser = ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--name", type=str)
parser.add_argument("--amp", type=bool, default=True)
parser.add_argument("--sizes", type=list[int])
parser.add_argument("--optimizer.momentum", type=float)
print(json.dumps(parser.parse_args().as_dict()))
