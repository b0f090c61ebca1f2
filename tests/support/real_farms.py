"""What every real scheduler is tested with: models that learn, and what can go wrong."""

import json
import os
import re
import subprocess
import time

from sites import HOSTILE, Site, all_end

LEARN = """\
import argparse, json, math, os, pathlib, random, sys, time
from runx.logx import logx

flags = argparse.ArgumentParser()
flags.add_argument("--lr", type=float, default=0.1)
flags.add_argument("--epochs", type=int, default=4)
flags.add_argument("--seed", type=int, default=7)
flags.add_argument("--pause", type=float, default=0)
flags.add_argument("--again", type=int, default=0)
flags.add_argument("--status", type=int, default=0)
args = flags.parse_args()
folder = pathlib.Path(os.environ["RUNX_LOGDIR"])
logx.initialize(logdir=str(folder), tensorboard=False)
chance = random.Random(args.seed)
points = [[1, chance.gauss(0, 1), chance.gauss(0, 1)] for _ in range(300)]
labels = [2 * x - y + chance.gauss(0, 0.3) > 0 for _, x, y in points]


def guess(weights, point):
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, point))))


saved = folder / "weights.json"
first, weights = json.loads(saved.read_text()) if saved.exists() else (0, [0.0, 0.0, 0.0])
print("from epoch", first, flush=True)
for epoch in range(first, args.epochs):
    for point, label in zip(points[:200], labels):
        error = guess(weights, point) - label
        weights = [w - args.lr * error * x for w, x in zip(weights, point)]
    guesses = [guess(weights, point) for point in points[200:]]
    right = [(value > 0.5) == label for value, label in zip(guesses, labels[200:])]
    likely = [value if label else 1 - value for value, label in zip(guesses, labels[200:])]
    loss = -sum(math.log(max(value, 1e-9)) for value in likely) / len(likely)
    logx.metric("val", {"loss": loss, "accuracy": sum(right) / len(right)}, epoch)
    new = folder / "weights.new"
    new.write_text(json.dumps([epoch + 1, weights]))
    new.replace(saved)
    print("epoch", epoch, "of attempt", os.environ["RUNX_ATTEMPT"], flush=True)
    if epoch + 1 == args.again:
        sys.exit(75)
    time.sleep(args.pause)
sys.exit(args.status)
"""
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Learning rates of which, in four epochs, the larger always gets further."""


def learns(site: Site) -> Site:
    """Give a site the script that trains a model."""
    site.write("learn.py", LEARN)
    return site


def sweep(site: Site, name: str, text: str) -> str:
    site.write(f"{name}.yml", f"CMD: python learn.py\n{text}")
    return f"{name}.yml"


def hparams_of(site: Site, name: str) -> dict[str, dict]:
    return {run.name: json.loads((run / "hparams.json").read_text()) for run in site.runs(name)}


def eight_models_are_trained_and_ranked(site: Site, more=""):
    site.runx(sweep(site, "models", f"HPARAMS: {{lr: {list(RATES)}}}\n{more}"))
    site.done("models", 8)
    words = ("models", "-s", "loss", "--lower", "loss", "--csv", "-")
    lines = site.runx(*words, program="sumx").stdout.splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=False)) for line in lines[1:]]
    assert [float(row["lr"]) for row in rows] == sorted(RATES, reverse=True), lines
    assert float(rows[0]["accuracy"]) > 0.9 > float(rows[0]["loss"]) * 2


def four_fates_are_told_apart(site: Site, limit="1m"):
    """One is done, one fails, one is cancelled, and one passes the shortest limit that there is."""
    entries = ["{epochs: 1}", "{status: 3}", "{epochs: 998, pause: 1}"]
    entries += [f"{{epochs: 997, pause: 1, SUBMIT_JOB.TIME: {limit}}}"] if limit else []
    text = "".join(f"  - {entry}\n" for entry in entries)
    site.runx(sweep(site, "fates", f"HPARAMS:\n{text}"))
    hparams_by_run = hparams_of(site, "fates")
    [long] = [name for name, hparams in hparams_by_run.items() if hparams.get("epochs") == 998]
    site.wait("fates", lambda states: states[long] == "running")
    site.runx("cancel", "fates", long)
    states = site.wait("fates", all_end, 240)
    fates = {json.dumps(hparams_by_run[name]): state for name, state in states.items()}
    ends = ["cancelled", "done", "failed", *(["timeout"] if limit else [])]
    assert sorted(states.values()) == ends, (fates, site.logs("fates"))
    assert states[long] == "cancelled"


def an_array_above_the_largest_is_cut(site: Site, count: int, arrays: int, more="ARRAY: true\n"):
    """Each run is trained once; an id is that of its array, a mark and its index."""
    text = f"HPARAMS: {{seed: {list(range(count))}, epochs: [1]}}\n{more}"
    site.runx(sweep(site, "cut", text))
    site.done("cut", count)
    jobs = [json.loads((run / "attempts/1.job.json").read_text())["id"] for run in site.runs("cut")]
    assert len(set(jobs)) == count
    assert len({re.match(r"\d+", job)[0] for job in jobs}) == arrays
    assert all(site.output(run).count("from epoch 0") == 1 for run in site.runs("cut"))


def it_goes_on_where_it_was(site: Site, more="REQUEUE: true\n"):
    """A run that leaves with 75 is started again, and finds its checkpoint."""
    site.runx(sweep(site, "again", f"HPARAMS: {{epochs: 4, again: 2}}\n{more}"))
    site.done("again", 1)
    [run] = site.runs("again")
    output = site.output(run)
    assert [line for line in output.splitlines() if "epoch" in line] == [
        "from epoch 0",
        "epoch 0 of attempt 1",
        "epoch 1 of attempt 1",
        "from epoch 2",
        "epoch 2 of attempt 2",
        "epoch 3 of attempt 2",
    ]
    assert len(list(run.glob("attempts/*.events.jsonl"))) == 2


def a_killed_launcher_leaves_every_run_once(site: Site, count=8, more=""):
    file = sweep(site, "half", f"HPARAMS: {{lr: {[n / 100 for n in range(1, count + 1)]}}}\n{more}")
    launcher = subprocess.Popen(
        ["runx", file],
        cwd=site.path,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    logs = site.path / "logs" / "half"
    while len(list(logs.glob("*/attempts/1.job.json"))) < 3:
        assert launcher.poll() is None, "the launcher ended before it could be killed"
        time.sleep(0.005)
    # The submit command that it had started goes on, as it may for whoever kills a launcher.
    launcher.kill()
    launcher.wait()
    submitted = sorted(logs.glob("*/attempts/1.job.json"))
    assert len(submitted) < count
    # One whose id was never recorded is found by its name.
    submitted[0].unlink()
    site.runx(file, "--resume")
    site.done("half", count)
    assert len(site.runs("half")) == count
    for run in site.runs("half"):
        assert site.output(run).count("from epoch 0") == 1
        # One whose submission was cut off is claimed anew, but only one attempt ever happened.
        assert len(list(run.glob("attempts/*.events.jsonl"))) == 1


def hostile_values_come_out_of_each_job(site: Site, more=""):
    """Two runs, each with all hostile values, so that two jobs test every value."""
    site.write(
        "echo.py",
        "import json, os, sys\n"
        "with open(os.path.join(os.environ['RUNX_LOGDIR'], 'words.json'), 'w') as file:\n"
        "    json.dump(sys.argv[1:], file)\n",
    )
    values = {f"v{number}": text for number, text in enumerate(HOSTILE)}
    text = f"HPARAMS: {json.dumps({'n': [1, 2], **values})}\n{more}"
    site.write("hostile.yml", f"CMD: python echo.py\n{text}")
    site.runx("hostile.yml")
    site.done("hostile", 2)
    for run in site.runs("hostile"):
        words = json.loads((run / "words.json").read_text())
        flags = dict(zip(*_paired(words), strict=True))
        assert {name: flags[f"--{name}"] for name in values} == values


def _paired(words):
    """Return the names and the values of flags, written apart or, before a dash, joined."""
    names, values = [], []
    while words:
        name, equals, value = words.pop(0).partition("=")
        names.append(name)
        values.append(value if equals else words.pop(0))
    return names, values


def long_ago(run):
    """Make the last sign of life of a run an hour old, as it is an hour after its node died."""
    for file in (run / "attempts").iterdir():
        then = file.stat().st_mtime - 3600
        os.utime(file, (then, then))
