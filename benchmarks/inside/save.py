"""Save a model that is the best so far, some times: torch.save to new names, or save_model."""

import json
import os
import sys
import time

import torch

way, folder, megabytes, times = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
content = {"state_dict": {"weight": torch.zeros(megabytes * 250_000)}}


def floor(epoch):
    """Save to a new name, and remove the one before."""
    torch.save(content, f"{folder}/model-{epoch}.pth")
    if epoch:
        os.unlink(f"{folder}/model-{epoch - 1}.pth")


def logged():
    """Save as a training script does."""
    from runx.logx import logx

    logx.initialize(logdir=folder, tensorboard=False)
    return lambda epoch: logx.save_model(content, metric=epoch, epoch=epoch)


save = floor if way == "floor" else logged()
save(0)
took, cpu = [], time.process_time()
for number in range(1, times + 1):
    began = time.perf_counter()
    save(number)
    took.append(time.perf_counter() - began)
models = [entry for entry in os.scandir(folder) if entry.name.endswith(".pth")]
disk = sum({entry.inode(): entry.stat().st_size for entry in models}.values()) / 1e6
print(json.dumps({"seconds": sum(took), "cpu": time.process_time() - cpu, "disk": disk}))
