"""Directories of runs with steps, as a launch and run.sh leave them."""

import json

from runx.rundir.paths import ExperimentDir

_ENDED = '{"event":"started","time":1.0}\n{"event":"ended","time":2.0,"code":%d}\n'


def an_experiment(tmp_path, codes, count=1):
    """Write an experiment whose steps, one after the other, ended so; None: it has not begun."""
    experiment = ExperimentDir(tmp_path / "sweep")
    (experiment.path / ".runx").mkdir(parents=True)
    for number in range(count):
        run = experiment.run(f"run-{number}")
        run.path.mkdir()
        entries, before = [], {}
        for step, code in codes.items():
            place = run.step(step)
            place.attempts.mkdir(parents=True)
            place.record.write_text(json.dumps({"step": step}))
            if code is not None:
                place.claim(1).write_text(json.dumps({"version": 1, "farm": None}))
                place.events(1).write_text(_ENDED % code)
            entries.append({"name": step, "dir": f"steps/{step}", "after": before})
            before = {step: "done"}
        run.record.write_text(
            json.dumps({"version": 1, "hparams": {"n": number}, "steps": entries})
        )
        run.hparams.write_text(json.dumps({"n": number}))
    return experiment
