"""Print what absl was told."""

import json
import sys

from absl import app, flags

flags.DEFINE_float("lr", None, "Learning rate.")
flags.DEFINE_string("name", None, "Name.")
flags.DEFINE_boolean("amp", False, "Mixed precision.")
flags.DEFINE_list("sizes", None, "Layers.")
flags.DEFINE_float("momentum", None, "Momentum.")
KEYS = ("lr", "name", "amp", "sizes", "momentum")


def main(argv: list[str]) -> None:
    told = {key: flags.FLAGS[key].value for key in KEYS}
    told["sizes"] = [int(size) for size in told["sizes"]]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    app.run(main)
