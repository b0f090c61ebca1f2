"""Make runs of other tools by the tools themselves: python make_samples.py FOLDER [TOOL...]

Each tool runs the same three trainings: lr 0.1, 0.01 and 0.001, of which the tool's last one fails
where it records that. What they measure is ``accuracy`` and ``loss`` below. The samples in
tests/fixtures/tools were made by this, in an environment of ``make .venv-tools/made``; ``--keep``
as the last word leaves what readers read, without the paths of this machine.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

RATES = (0.1, 0.01, 0.001)
EPOCHS = 3


def accuracy(lr: float, epoch: int) -> float:
    """Return what a training's validation measures after an epoch."""
    return round(0.5 + lr + epoch / 10, 4)


def loss(lr: float, epoch: int) -> float:
    """Return the loss of a training's epoch."""
    return round(1 / (1 + epoch) + lr, 4)


class Failure(Exception):
    """What the last training of a tool ends with."""


def mlflow(folder: Path) -> None:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    _mlflow(f"file:{folder}/mlruns")


def _mlflow(uri: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("vision/digits")
    for lr in RATES:
        try:
            with mlflow.start_run(run_name=f"lr-{lr}"):
                mlflow.log_params({"lr": lr, "optim/name": "sgd"})
                for epoch in range(EPOCHS):
                    mlflow.log_metric("val/accuracy", accuracy(lr, epoch), step=epoch)
                    mlflow.log_metric("train/loss", loss(lr, epoch), step=epoch)
                if lr == RATES[-1]:
                    raise Failure
        except Failure:
            pass
    with mlflow.start_run(run_name="thrown-away") as run:
        mlflow.log_metric("val/accuracy", 1.0, step=0)
    mlflow.delete_run(run.info.run_id)


def wandb(folder: Path) -> None:
    import wandb

    os.environ["WANDB_MODE"] = "offline"
    os.environ["WANDB_SILENT"] = "true"
    settings = wandb.Settings(
        x_disable_stats=True, x_disable_meta=True, console="off", save_code=False
    )
    for lr in RATES:
        run = wandb.init(
            project="digits",
            name=f"lr-{lr}",
            dir=folder,
            config={"lr": lr, "optim": {"name": "sgd"}},
            settings=settings,
        )
        for epoch in range(EPOCHS):
            run.log(
                {
                    "val/accuracy": accuracy(lr, epoch),
                    "train": {"loss": loss(lr, epoch)},
                    "epoch": epoch,
                }
            )
        run.finish(exit_code=1 if lr == RATES[-1] else 0)


_HYDRA = """
import csv
import hydra
from make_samples import EPOCHS, accuracy, loss

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    with open("metrics.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["epoch", "train_loss", "val_accuracy"])
        for epoch in range(EPOCHS):
            rows.writerow([epoch, loss(config.optim.lr, epoch), accuracy(config.optim.lr, epoch)])

main()
"""


def hydra(folder: Path) -> None:
    (folder / "conf" / "optim").mkdir(parents=True)
    (folder / "conf" / "config.yaml").write_text(
        "defaults:\n  - optim: adam\n  - _self_\nseed: 1\nout: ${optim.name}\n"
        "hydra:\n  job:\n    chdir: true\n"
    )
    for name in ("adam", "sgd"):
        (folder / "conf" / "optim" / f"{name}.yaml").write_text(f"name: {name}\nlr: 0.5\n")
    (folder / "app.py").write_text(textwrap.dedent(_HYDRA))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    rates = ",".join(map(str, RATES))
    for words in (["-m", "optim=sgd", f"optim.lr={rates}"], ["optim.lr=0.2"]):
        subprocess.run(
            [sys.executable, "app.py", *words], cwd=folder, env=environment, check=True, timeout=120
        )


def _fit(lr: float, callbacks: list, logger: object, folder: Path) -> None:
    import lightning
    import torch

    class Model(lightning.LightningModule):
        def __init__(self, lr: float, betas: tuple = (0.9, 0.99)) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch, _):
            self.log("train_loss", loss(lr, self.current_epoch), on_epoch=True, on_step=False)
            return self.layer(batch).sum()

        def validation_step(self, batch, _):
            self.log("val_accuracy", accuracy(lr, self.current_epoch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=lr)

    data = torch.utils.data.DataLoader(torch.zeros(2, 1))
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        logger=logger,
        callbacks=callbacks,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        default_root_dir=folder,
    )
    trainer.fit(Model(lr), data, data)


def lightning(folder: Path) -> None:
    from lightning.pytorch.loggers import CSVLogger

    for lr in RATES:
        _fit(lr, [], CSVLogger(folder), folder)


def lightning_tensorboard(folder: Path) -> None:
    from lightning.pytorch.loggers import TensorBoardLogger

    for lr in RATES:
        _fit(lr, [], TensorBoardLogger(folder), folder)


def huggingface(folder: Path) -> None:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments

    class Model(PreTrainedModel):
        config_class = PretrainedConfig

        def __init__(self, config):
            super().__init__(config)
            self.layer = torch.nn.Linear(1, 1)
            self.post_init()

        def forward(self, x, labels=None):
            logits = self.layer(x)
            return {"loss": ((logits - labels) ** 2).mean(), "logits": logits}

    rows = [{"x": torch.ones(1), "labels": torch.ones(1)}] * 4
    for lr in RATES:
        arguments = TrainingArguments(
            output_dir=str(folder / f"lr-{lr}"),
            num_train_epochs=EPOCHS,
            learning_rate=lr,
            per_device_train_batch_size=2,
            eval_strategy="epoch",
            save_strategy="epoch",
            logging_strategy="epoch",
            save_total_limit=2,
            save_only_model=True,
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
        )
        epochs = iter(range(EPOCHS))
        trainer = Trainer(
            Model(PretrainedConfig()),
            arguments,
            train_dataset=rows,
            eval_dataset=rows,
            compute_metrics=lambda _, lr=lr, epochs=epochs: {
                "accuracy": accuracy(lr, next(epochs))
            },
        )
        trainer.train()


def tensorboard(folder: Path) -> None:
    """A writer for each run, and one that writes its hyperparameters to a folder beneath."""
    from torch.utils.tensorboard import SummaryWriter

    for lr in RATES:
        with SummaryWriter(str(folder / "runs" / f"lr-{lr}")) as writer:
            for epoch in range(EPOCHS):
                writer.add_scalar("val/accuracy", accuracy(lr, epoch), epoch)
                writer.add_scalar("train/loss", loss(lr, epoch), epoch)
            last = {"hparam/accuracy": accuracy(lr, EPOCHS - 1)}
            writer.add_hparams(
                {"lr": lr, "optim": "sgd", "nesterov": True}, last, run_name="hparams"
            )
    with SummaryWriter(str(folder / "at-once")) as writer:
        for lr in RATES:
            last = {"accuracy": accuracy(lr, EPOCHS - 1)}
            writer.add_hparams({"lr": lr, "optim": "sgd"}, last, run_name=f"lr-{lr}")


_MLXP = """
import mlxp
from make_samples import EPOCHS, RATES, accuracy, loss

@mlxp.launch(config_path="./configs")
def main(context):
    lr = context.config.optim.lr
    for epoch in range(EPOCHS):
        context.logger.log_metrics({"loss": loss(lr, epoch), "epoch": epoch}, log_name="train")
        values = {"accuracy": accuracy(lr, epoch), "epoch": epoch}
        context.logger.log_metrics(values, log_name="val")
    if lr == RATES[-1]:
        raise ValueError("it fails")

main()
"""


def mlxp(folder: Path) -> None:
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "config.yaml").write_text("seed: 1\noptim:\n  lr: 0.5\n  name: sgd\n")
    (folder / "configs" / "mlxp.yaml").write_text(
        "use_version_manager: false\nuse_scheduler: false\ninteractive_mode: false\n"
    )
    (folder / "main.py").write_text(_MLXP)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    for lr in RATES:
        subprocess.run(
            [sys.executable, "main.py", f"optim.lr={lr}"],
            cwd=folder,
            env=environment,
            check=lr != RATES[-1],
            timeout=120,
            capture_output=True,
        )


def sacred(folder: Path) -> None:
    from sacred import SETTINGS, Experiment
    from sacred.observers import FileStorageObserver

    SETTINGS.HOST_INFO.INCLUDE_GPU_INFO = SETTINGS.HOST_INFO.INCLUDE_CPU_INFO = False
    SETTINGS.DISCOVER_SOURCES = SETTINGS.DISCOVER_DEPENDENCIES = "none"
    experiment = Experiment("digits", save_git_info=False)
    experiment.observers.append(FileStorageObserver(folder / "sacred"))
    experiment.add_config({"optim": {"lr": 0.5, "name": "sgd"}, "betas": (0.9, 0.99)})

    @experiment.main
    def main(optim, _run):
        lr = optim["lr"]
        for epoch in range(EPOCHS):
            _run.log_scalar("val.accuracy", accuracy(lr, epoch), epoch)
            _run.log_scalar("train.loss", loss(lr, epoch), epoch)
        if lr == RATES[-1]:
            raise Failure

    for lr in RATES:
        try:
            experiment.run(config_updates={"optim": {"lr": lr}})
        except Failure:
            pass


def dvclive(folder: Path) -> None:
    from dvclive import Live

    for lr in RATES:
        with Live(
            str(folder / f"lr-{lr}"), save_dvc_exp=False, dvcyaml=None, cache_images=False
        ) as live:
            live.log_params({"lr": lr, "optim": {"name": "sgd"}})
            for epoch in range(EPOCHS):
                live.log_metric("val/accuracy", accuracy(lr, epoch))
                live.log_metric("train/loss", loss(lr, epoch))
                live.next_step()


def keras(folder: Path) -> None:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import numpy

    class Measure(keras.callbacks.Callback):
        def __init__(self, lr: float) -> None:
            super().__init__()
            self.lr = lr

        def on_epoch_end(self, epoch, logs=None):
            logs.update(loss=loss(self.lr, epoch), val_accuracy=accuracy(self.lr, epoch))

    data = numpy.zeros((2, 1))
    for lr in RATES:
        place = folder / f"lr-{lr}"
        place.mkdir(parents=True)
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile(loss="mse", optimizer="sgd")
        callbacks = [Measure(lr), keras.callbacks.CSVLogger(str(place / "training.log"))]
        model.fit(data, data, epochs=EPOCHS, verbose=0, callbacks=callbacks)


_GUILD = """
import sys
lr = 0.5
optim = "sgd"
if __name__ == "__main__":
    sys.path.insert(0, {support!r})
    from make_samples import EPOCHS, RATES, accuracy
    for step in range(EPOCHS):
        print(f"step: {{step}}")
        print(f"accuracy: {{accuracy(lr, step)}}")
    sys.exit(3 if lr == RATES[-1] else 0)
"""


def guild(folder: Path) -> None:
    """Guild has an environment of its own where ``RUNX_GUILD`` names its program."""
    program = os.environ.get("RUNX_GUILD") or str(Path(sys.executable).with_name("guild"))
    home, project = folder / "guild", folder / "project"
    home.mkdir(parents=True)
    project.mkdir()
    support = str(Path(__file__).resolve().parent)
    (project / "train.py").write_text(_GUILD.format(support=support))
    for lr in RATES:
        words = [program, "-H", str(home), "run", "train.py", "-y", f"lr={lr}"]
        subprocess.run(words, cwd=project, timeout=120, capture_output=True, check=False)


TOOLS = {
    function.__name__: function
    for function in (
        mlflow,
        wandb,
        hydra,
        lightning,
        lightning_tensorboard,
        huggingface,
        tensorboard,
        mlxp,
        sacred,
        dvclive,
        keras,
        guild,
    )
}

KEPT = {
    "mlflow": (
        "mlruns/*/meta.yaml",
        "mlruns/*/*/meta.yaml",
        "mlruns/*/*/params/**/*",
        "mlruns/*/*/metrics/**/*",
    ),
    "wandb": ("wandb/*/*.wandb",),
    "hydra": (
        "*/*/*/.hydra/*",
        "*/*/*/metrics.csv",
        "*/*/*/*/.hydra/*",
        "*/*/*/*/metrics.csv",
        "multirun/*/*/*.yaml",
    ),
    "lightning": ("**/*.yaml", "**/metrics.csv"),
    "lightning_tensorboard": ("**/*.yaml", "**/*tfevents*"),
    "huggingface": ("*/*/trainer_state.json",),
    "tensorboard": ("**/*tfevents*",),
    "mlxp": ("logs/*/metadata/*", "logs/*/metrics/*.json"),
    "sacred": ("sacred/*/*.json",),
    "dvclive": ("**/*",),
    "keras": ("**/*",),
    "guild": (
        *(
            f"guild/runs/*/.guild/attrs/{name}"
            for name in ("flags", "exit_status", "started", "stopped")
        ),
        "guild/runs/*/.guild/opref",
        "guild/runs/*/.guild/*tfevents*",
    ),
}
"""What readers read of a tool's folder, as patterns."""


def keep(folder: Path, patterns: tuple[str, ...]) -> None:
    """Remove from a folder what no pattern matches, and the paths and names of this machine."""
    kept = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept or path.is_symlink():
            path.unlink()
        elif "tfevents" in path.name:
            path.rename(path.with_name(path.name.replace(f".{os.uname().nodename}.", ".host.")))
        elif b"\0" not in path.read_bytes():
            path.write_text(_anonymous(path.read_text(), folder))


def _anonymous(text: str, folder: Path) -> str:
    for found, name in (
        (str(folder), "/home/ada/work"),
        (str(Path(__file__).resolve().parent), "/home/ada/work"),
        (sys.prefix, "/home/ada/venv"),
        (f"hostname: {os.uname().nodename}", "hostname: host"),
        (f'"hostname": "{os.uname().nodename}"', '"hostname": "host"'),
        ("user_id: root", "user_id: ada"),
    ):
        text = text.replace(found, name)
    return text


def main(top: Path, words: list[str]) -> None:
    """Make the samples of the tools that are named, of all without names."""
    for name in [word for word in words if word in TOOLS] or TOOLS:
        place = top / name
        place.mkdir(parents=True)
        os.chdir(place)
        TOOLS[name](place)
        if "--keep" in words:
            keep(place, KEPT[name])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
