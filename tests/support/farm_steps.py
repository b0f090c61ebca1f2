"""Sweeps of several steps, and of several runs in a job, as every farm that can is tried with."""

import json

from sites import Site, all_end

WORK = """\
import argparse, json, os, pathlib, sys, time
flags = argparse.ArgumentParser()
flags.add_argument("--lr", type=float, default=0)
flags.add_argument("--status", type=int, default=0)
flags.add_argument("--again", type=int, default=0)
flags.add_argument("--nap", type=float, default=0.2)
args, others = flags.parse_known_args()
project = pathlib.Path(os.environ["RUNX_PROJECT"])
me = {"step": os.environ.get("RUNX_STEP"), "run": os.environ["RUNX_RUN"]}
me |= {"attempt": int(os.environ["RUNX_ATTEMPT"]), "others": others}
me |= {"gpus": os.environ.get("CUDA_VISIBLE_DEVICES")}


def note(**more):
    with open(project / "order.jsonl", "a") as log:
        log.write(json.dumps({**me, **more, "time": time.time()}) + "\\n")


note(what="begins")
is_mended = (project / "mended").exists()
time.sleep(0.2 if is_mended or me["attempt"] > 1 else args.nap)
if args.again and me["attempt"] == 1:
    sys.exit(75)
status = 0 if is_mended else args.status
note(what="ends", status=status)
sys.exit(status)
"""
STEPS = """\
STEPS:
  tokens: {{CMD: "python work.py {{dataset}}", PER: [dataset], {needs}}}
  train: {{CMD: "python work.py {{args}} --data {{tokens.dir}}", AFTER: tokens, {needs}}}
  eval: {{CMD: "python work.py LOGDIR", AFTER: train, {needs}}}
  plot: {{CMD: "python work.py LOGDIR", AFTER: eval}}
  report: {{CMD: "python work.py {{eval.dirs}}", AFTER: {{eval: ended}}, PER: sweep, {needs}}}
HPARAMS: {{dataset: [a, b], status: [0, 3], lr: [1, 2]}}
"""


CHAIN = """\
STEPS:
  tokens: {{CMD: "python work.py {{dataset}}", PER: [dataset], FARM: local}}
  train: {{CMD: "python work.py {{args}} --data {{tokens.dir}}", AFTER: tokens{needs}}}
  eval: {{CMD: "python work.py LOGDIR", AFTER: train}}
  plot: {{CMD: "python work.py LOGDIR", AFTER: [train, eval]}}
HPARAMS:
  - {{dataset: a, lr: 1}}
  - {{dataset: b, lr: 2, status: 3}}
  - {{dataset: a, lr: 3, nap: 300}}
"""


def works(site: Site) -> Site:
    """Give a site the script of its steps; orders are heeded soon there."""
    site.write("work.py", WORK)
    site.environment = {**site.environment, "RUNX_BEAT": "2"}
    return site


def noted(site):
    file = site.path / "order.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def times(site, step, what="begins"):
    """Return when each run's step began, or ended with 0, by its run."""
    notes = [each for each in noted(site) if each["step"] == step and each["what"] == what]
    return {each["run"]: each["time"] for each in notes if not each.get("status")}


def a_pipeline_goes_through_in_order_and_goes_on_when_mended(
    site, needs, more="", advance=lambda: None
):
    """Half of the trains fail at first: their evals wait in vain, and run when they are mended.

    ``advance`` lets a stand-in start what waits.
    """
    site.write("pipe.yml", STEPS.format(needs=f"RESOURCES: {needs}") + more)
    site.runx("pipe.yml")
    states = site.wait("pipe", all_end)
    assert sorted(states.values()) == ["done"] * 4 + ["failed"] * 4, (states, noted(site))
    assert len(times(site, "eval")) == len(times(site, "plot")) == 4
    site.wait("pipe", lambda _: advance() or times(site, "report", "ends"))
    (site.path / "mended").touch()
    site.runx("pipe.yml", "--resume")
    site.done("pipe", 8)
    site.wait(
        "pipe",
        lambda _: advance() or sum(each["step"] == "report" for each in noted(site)) == 4,
    )
    begun = [(each["step"], each["run"]) for each in noted(site) if each["what"] == "begins"]
    counts = {step: sum(name == step for name, _ in begun) for step, _ in begun}
    assert counts == {"tokens": 2, "train": 12, "eval": 8, "plot": 8, "report": 2}
    for before, after in (("train", "eval"), ("eval", "plot")):
        ended = times(site, before, "ends")
        assert all(ended[run] <= time for run, time in times(site, after).items())
    made = {
        each["others"][0]: each["time"]
        for each in noted(site)
        if each["step"] == "tokens" and each["what"] == "ends"
    }
    for each in noted(site):
        if each["step"] == "train" and each["what"] == "begins":
            dataset = each["others"][each["others"].index("--dataset") + 1]
            assert made[dataset] <= each["time"]


def steps_of_a_job_go_through_in_turn_and_go_on_when_mended(site, needs="", more=""):
    """One train is done, one fails, one is cancelled; when mended all goes on where it was."""
    site.write("turns.yml", CHAIN.format(needs=needs and f", RESOURCES: {needs}") + more)
    site.runx("turns.yml")
    runs = {
        json.loads((run / "hparams.json").read_text())["lr"]: run
        for run in site.runs("turns")
        if run.name != "steps"
    }
    ids = [
        json.loads((run / f"steps/{step}/attempts/1.job.json").read_text())["id"]
        for run in runs.values()
        for step in ("train", "eval", "plot")
    ]
    assert ids == [id for id in ids[::3] for _ in range(3)]
    assert len({*ids}) == 3
    site.wait("turns", lambda _: runs[3].name in times(site, "train"))
    site.runx("cancel", "turns", runs[3].name, "--step", "train")
    states = site.wait("turns", all_end)
    assert {lr: states[run.name] for lr, run in runs.items()} == {
        1: "done",
        2: "failed",
        3: "cancelled",
    }
    shown = site.runx("status", "turns", status=(0, 1)).stdout
    assert shown.count("blocked") == 4, shown
    assert len(times(site, "eval")) == len(times(site, "plot")) == 1
    (site.path / "mended").touch()
    site.runx("turns.yml", "--resume")
    site.done("turns", 3)
    begun = [each["step"] for each in noted(site) if each["what"] == "begins"]
    counts = {step: begun.count(step) for step in begun}
    assert counts == {"tokens": 2, "train": 5, "eval": 3, "plot": 3}
    for before, after in (("train", "eval"), ("eval", "plot")):
        ended = times(site, before, "ends")
        assert all(ended[run] <= time for run, time in times(site, after).items())


def a_step_of_a_job_of_its_own_is_refused(site, needs="{cpus: 1}"):
    """Nothing is made of a sweep whose steps this farm can't have wait for each other."""
    site.write(
        "no.yml",
        "STEPS:\n"
        '  train: {CMD: "python work.py {args}"}\n'
        f'  eval: {{CMD: "python work.py", AFTER: train, RESOURCES: {needs}}}\n'
        "HPARAMS: {lr: [1, 2]}\n",
    )
    said = site.runx("no.yml", status=2).stderr
    assert "no.yml:3: STEPS.eval: jobs of TYPE" in said
    assert "it runs in the job of the step before" in said
    assert not (site.path / "logs/no").exists()


def a_chain_goes_on_at_the_step_that_asked_for_it(site, requeued=lambda run: None, nap=0.2):
    """The train hands the job back; its eval, in the same job, starts when it is done."""
    site.write(
        "chain.yml",
        "STEPS:\n"
        '  data: {CMD: "python work.py"}\n'
        '  train: {CMD: "python work.py {args}", AFTER: data}\n'
        '  eval: {CMD: "python work.py", AFTER: train}\n'
        f"HPARAMS: {{again: [0, 1], nap: [{nap}]}}\nREQUEUE: {{max: 2}}\n",
    )
    site.runx("chain.yml")
    [again] = [
        run for run in site.runs("chain") if json.loads((run / "hparams.json").read_text())["again"]
    ]
    requeued(again / "steps" / "data")
    site.done("chain", 2)
    begun = [
        (each["step"], each["attempt"])
        for each in noted(site)
        if each["run"] == again.name and each["what"] == "begins"
    ]
    assert begun == [("data", 1), ("train", 1), ("train", 2), ("eval", 1)]
    ids = {
        json.loads((again / f"steps/{step}/attempts/1.job.json").read_text())["id"]
        for step in ("data", "train", "eval")
    }
    assert len(ids) == 1


def several_runs_share_a_job(site, more=""):
    """Three of five fit into a job; one fails, one is cancelled, the others are done."""
    points = ["{lr: 1}", "{lr: 2, nap: 300}", "{lr: 3, status: 3}", "{lr: 4, nap: 6}", "{lr: 5}"]
    text = "".join(f"  - {point}\n" for point in points)
    site.write("packs.yml", f"CMD: python work.py\nRUNS_PER_JOB: 3\n{more}HPARAMS:\n{text}")
    site.runx("packs.yml")
    rates = {
        json.loads((run / "hparams.json").read_text())["lr"]: run for run in site.runs("packs")
    }
    ids = [
        json.loads((rates[rate] / "attempts/1.job.json").read_text())["id"] for rate in range(1, 6)
    ]
    assert [ids.index(id) for id in ids] == [0, 0, 0, 3, 3]
    site.wait("packs", lambda states: states[rates[2].name] == "running")
    site.wait("packs", lambda states: states[rates[3].name] == "failed")
    assert site.states("packs")[rates[1].name] == "done"
    site.runx("cancel", "packs", rates[2].name)
    states = site.wait("packs", all_end)
    assert [states[rates[rate].name] for rate in range(1, 6)] == [
        "done",
        "cancelled",
        "failed",
        "done",
        "done",
    ]
