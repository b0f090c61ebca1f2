"""Stat, read, or parse and print every file of an experiment's runs."""

import json
import os
import sys

work, experiment = sys.argv[1], sys.argv[2]
NAMES = ("run.json", "hparams.json", "metrics.csv", "attempts/1.claim", "attempts/1.events.jsonl")


def last(text):
    """Return the last validation row, after parsing every row."""
    rows = [line.split(",") for line in text.splitlines() if line.startswith("val,")]
    parsed = [dict(zip(row[1::2], map(float, row[2::2]), strict=True)) for row in rows]
    return parsed[-1]


for run in sorted(name for name in os.listdir(experiment) if name[0] != "."):
    places = [f"{experiment}/{run}/{name}" for name in NAMES]
    if work == "stat":
        for place in places:
            os.stat(place)
        continue
    texts = []
    for place in places:
        with open(place, "rb", buffering=0) as file:
            texts.append(file.read())
    if work == "parse":
        print(run, json.loads(texts[1]), last(texts[2].decode()), json.loads(texts[3])["farm"])
