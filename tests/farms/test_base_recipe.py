"""The recipe of CONTRIBUTING.md, followed: a farm from elsewhere that takes runs and ends them."""

import re
from pathlib import Path

from sites import Site, all_end

ROOT = Path(__file__).resolve().parent.parent.parent
HAND_IN = """#!/bin/bash
[ "$1" = --name ] && [ -n "$2" ] && [ -f "$3" ] || exit 2
mkdir -p "$JOBS"
setsid bash "$3" </dev/null >/dev/null 2>&1 &
echo $!
echo "$2" >"$JOBS/$!"
"""
HANDED_IN = """#!/bin/bash
for file in "$JOBS"/*; do
  job=${file##*/}
  kill -0 "$job" 2>/dev/null && state=running || state=failed
  echo "$job $state $(cat "$file")"
done
"""
TAKE_BACK = '#!/bin/bash\nkill "$@"\n'


def test_the_recipe_for_a_farm_makes_one(installed, tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    [code] = re.findall(r"```python\n(# myfarm\.py\n.*?)```", text, re.DOTALL)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "myfarm.py").write_text(code)
    commands = {"hand-in": HAND_IN, "handed-in": HANDED_IN, "take-back": TAKE_BACK}
    for name, script in commands.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    environment = {
        **installed,
        "PATH": f"{folder}:{installed['PATH']}",
        "PYTHONPATH": f"{installed['PYTHONPATH']}:{folder}",
        "JOBS": str(tmp_path / "jobs"),
    }
    site = Site(tmp_path / "project", environment, "FARM: own\nown: {TYPE: 'myfarm:farm'}\n")
    site.runx(site.sweep("mine", "HPARAMS:\n  - {lr: 1}\n  - {nap: 300}\n"))
    site.wait("mine", lambda states: sorted(states.values()) == ["done", "running"])
    site.runx("cancel", "mine")
    assert sorted(site.wait("mine", all_end).values()) == ["cancelled", "done"]
