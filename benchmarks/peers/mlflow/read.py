"""``python read.py STORE``: the last accuracy of each run, best first."""

import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow

mlflow.set_tracking_uri(f"file:{os.path.abspath(sys.argv[1])}")
runs = mlflow.search_runs(search_all_experiments=True, output_format="list", max_results=100_000)
for acc, lr in sorted((run.data.metrics["val/accuracy"], run.data.params["lr"]) for run in runs):
    print(lr, acc)
