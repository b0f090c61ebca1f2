"""``python read_others.py LOGS``: the last accuracy of each run, best first."""

import sys

import mlxp

runs = mlxp.Reader(sys.argv[1]).filter(query_string="config.seed >= 0")
for acc, lr in sorted((run["val.accuracy"][-1], run["config.optim.lr"]) for run in runs):
    print(lr, acc)
