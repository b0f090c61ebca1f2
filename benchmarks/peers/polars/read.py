"""``python read.py EXPERIMENT``: the last accuracy of each run's metrics.csv, best first."""

import json
import sys
from pathlib import Path

import polars

rows = []
for run in Path(sys.argv[1]).iterdir():
    if run.name.startswith("."):
        continue
    names = [f"column_{nth}" for nth in range(1, 16)]
    table = polars.read_csv(run / "metrics.csv", has_header=False, skip_rows=1, new_columns=names)
    last = table.filter(polars.col("column_1") == "val").tail(1)
    rows.append((last["column_5"][0], json.loads((run / "hparams.json").read_bytes())))
for acc, hparams in sorted(rows, key=lambda row: row[0], reverse=True):
    print(hparams, acc)
