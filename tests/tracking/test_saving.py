import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runx.rundir.records import read

pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]

TRAINING = """
import os, signal, sys
import torch
from runx.logx import logx

logx.initialize(sys.argv[1])
kill_at = int(sys.argv[2])
logx.seed(3)
data = torch.utils.data.TensorDataset(torch.rand(64, 4), torch.rand(64, 1))
loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(), torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), 0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
start = logx.restore(model=model, optimizer=optimizer, scheduler=scheduler)
for epoch in range(start, 6):
    for step, (inputs, targets) in enumerate(loader):
        loss = ((model(inputs) - targets) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (epoch, step) == (kill_at, 4):
            os.kill(os.getpid(), signal.SIGKILL)
    scheduler.step()
    logx.metric("val", {"loss": loss}, epoch)
    logx.save_model(
        {
            "state_dict": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
        },
        metric=loss,
        epoch=epoch,
        higher_better=False,
    )
"""


def trained(folder, name, kill_at=-1):
    (folder / "train.py").write_text(TRAINING)
    environment = {key: value for key, value in os.environ.items() if key[:5] != "RUNX_"}
    return subprocess.run(
        [sys.executable, "train.py", name, str(kill_at)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def losses(folder):
    return [
        (record.epoch, record.metrics["loss"])
        for record in read(folder / "metrics.csv")
        if record.phase == "val"
    ]


def test_a_training_killed_in_the_middle_of_epochs_ends_as_one_that_was_not(tmp_path):
    done = trained(tmp_path, "through")
    assert done.returncode == 0, done.stderr
    assert trained(tmp_path, "killed", 2).returncode == -signal.SIGKILL
    assert trained(tmp_path, "killed", 4).returncode == -signal.SIGKILL
    done = trained(tmp_path, "killed")
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "killed") == losses(tmp_path / "through")
    assert len(losses(tmp_path / "through")) == 6
