"""``python read.py LOGS``: the last accuracy of each run, best first."""

import sys

import mlxp

runs = mlxp.Reader(sys.argv[1]).filter(query_string="config.epochs > 0")
for acc, seed in sorted(((run["val.acc"][-1], run["config.seed"]) for run in runs), reverse=True):
    print(seed, acc)
