"""Print what a YAML file says."""

import argparse
import json
from pathlib import Path

import yaml

parser = argparse.ArgumentParser()
parser.add_argument("--config", type=Path)
print(json.dumps(yaml.safe_load(parser.parse_args().config.read_text(encoding="utf-8"))))
