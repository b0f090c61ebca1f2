"""The mean of the models of all seeds, written beside what it was made of."""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    models = [json.loads(Path(folder, "model.json").read_text()) for folder in sys.argv[1:]]
    rows = zip(*models, strict=True)
    mean = [[sum(cells) / len(models) for cells in zip(*row, strict=True)] for row in rows]
    Path(os.environ["RUNX_LOGDIR"], "ensemble.json").write_text(json.dumps(mean))
    print(f"the mean of {len(models)} models")


if __name__ == "__main__":
    main()
