"""Run directories written by hand, as runx, logx and NVIDIA's runx write them."""

import json

from runx.rundir.records import encode


def make_run(
    folder,
    hparams=None,
    acc=(),
    *,
    name="acc",
    code=0,
    record=True,
    start=0.0,
    each=10.0,
    **more,
):
    """Write the directory of a run with a validation row for each value of ``acc``."""
    attempts = folder / "attempts"
    attempts.mkdir(parents=True)
    hparams = hparams if hparams is not None else {}
    (folder / "hparams.json").write_text(json.dumps(hparams))
    if record:
        content = {"version": 1, "name": folder.name, "hparams": hparams, **more}
        (folder / "run.json").write_text(json.dumps(content))
        claim = {"version": 1, "host": "h", "boot": "b", "pid": 1, "start": 1, "farm": None}
        (attempts / "1.claim").write_text(json.dumps(claim))
        events = ['{"event":"started","time":0}']
        if code is not None:
            events.append(f'{{"event":"ended","time":9,"code":{code}}}')
        (attempts / "1.events.jsonl").write_text("\n".join(events) + "\n")
    if acc:
        write_metrics(folder, [{name: value} for value in acc], start=start, each=each)
    return folder


def write_metrics(folder, rows, start=0.0, each=10.0, phase="val", file="metrics.csv"):
    lines = [encode("start", {"start/step": 0}, None, start)]
    lines += [
        encode(phase, row, epoch, start + each * (epoch + 1)) for epoch, row in enumerate(rows)
    ]
    (folder / file).write_text("".join(lines))


def originals_run(folder, hparams, rows):
    """Write a run as NVIDIA's runx does: no run.json, CRLF, its directory in hparams."""
    folder.mkdir(parents=True)
    (folder / "hparams.json").write_text(json.dumps({**hparams, "logdir": str(folder)}))
    lines = ["start,start/step,0,timestamp,1600000000.5"]
    for epoch, row in enumerate(rows):
        pairs = ",".join(f"{name},{value}" for name, value in row.items())
        lines.append(f"val,{pairs},epoch,{epoch},timestamp,{1600000000.5 + 321 * (epoch + 1)}")
    (folder / "metrics.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    return folder
