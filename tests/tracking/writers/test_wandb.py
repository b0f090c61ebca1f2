import json
import time

import pytest

from runx.logx import LogX

wandb = pytest.importorskip("wandb", reason="needs wandb")
if not hasattr(wandb, "init"):
    pytest.skip("needs wandb", allow_module_level=True)


def history(path):
    """Read the numbers of a run that wandb wrote offline: protocol buffers in LevelDB's log."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, found = path.read_bytes()[7:], []
    while len(data) > 7:
        length = int.from_bytes(data[4:6], "little")
        record = Record.FromString(data[7 : 7 + length])
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            found.append(
                {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}
            )
        data = data[7 + length :]
    return found


def test_wandb_has_the_same_run_in_all_attempts(tmp_path, monkeypatch):
    for name in ("RUNX_LOGDIR", "RUNX_LOGX", "RANK", "WANDB_RUN_ID", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logx = LogX()
    folder = tmp_path / "sweep" / "owl"
    for epoch in (0, 1):
        logx.initialize(folder, writers=["csv", "wandb"], hparams={"lr": 0.1})
        logx.metric("val", {"acc": epoch + 0.5}, epoch)
        logx.close()
        # wandb names its folders by the second.
        time.sleep(1.1)
    files = sorted(folder.glob("wandb/offline-run-*/run-sweep-owl.wandb"))
    numbers = [
        (row["val/acc"], row["epoch"])
        for path in files
        for row in history(path)
        if "val/acc" in row
    ]
    assert sorted(numbers) == [(0.5, 0), (1.5, 1)]
