"""HfArgumentParser and the Trainer of transformers."""

from dataclasses import dataclass

import torch
from transformers import HfArgumentParser, Trainer, TrainingArguments


@dataclass
class ModelArguments:
    width: int = 4


class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, at):
        return {"x": torch.ones(4) * at, "labels": torch.tensor(1.0)}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x, labels=None):
        y = self.layer(x).squeeze(-1)
        return {"loss": (y - labels).pow(2).mean(), "logits": y}


parser = HfArgumentParser((ModelArguments, TrainingArguments))
model_args, args = parser.parse_args_into_dataclasses()
trainer = Trainer(
    Model(),
    args,
    train_dataset=Data(),
    eval_dataset=Data(),
    compute_metrics=lambda _: {"accuracy": 1 - args.learning_rate},
)
trainer.train()
trainer.save_metrics("eval", trainer.evaluate())
