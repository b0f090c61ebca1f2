"""Print every command of a sweep: itertools.product and print."""

import itertools
import sys

from_yaml, file, logs = sys.argv[1] == "yaml", sys.argv[2], sys.argv[3]
if from_yaml:
    import yaml

    with open(file) as text:
        hparams = yaml.safe_load(text)["HPARAMS"]
    hparams.pop("logdir")
else:
    with open(file) as text:
        lines = [line.strip().split(": ") for line in text if "[" in line]
    hparams = {name: values.strip("[]").split(", ") for name, values in lines}

flags = [[f"--{name} {value}" for value in values] for name, values in hparams.items()]
for number, values in enumerate(itertools.product(*flags)):
    print("python train.py", *values, f"--logdir {logs}/sweep/run-{number}_2026.02.06_14.19")
