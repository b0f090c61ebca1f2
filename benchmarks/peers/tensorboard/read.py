"""``python read.py FOLDERS``: the last accuracy of each folder's event file, best first."""

import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

rows = []
for folder in Path(sys.argv[1]).iterdir():
    events = EventAccumulator(str(folder))
    events.Reload()
    rows.append((events.Scalars("val/acc")[-1].value, folder.name))
for acc, name in sorted(rows, reverse=True):
    print(name, acc)
