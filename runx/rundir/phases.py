"""Which phase a metric is of (train, val or test), as people name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
    "testing": "test",
}
"""The words that name a phase, anywhere in a metric's name; ``dev`` only at its beginning."""

SPEEDS = frozenset({"runtime", "samples_per_second", "steps_per_second", "model_preparation_time"})
"""What transformers adds to the metrics of each phase; no script's own metrics."""

PLACEHOLDERS = frozenset({"hp_metric", "total_flos"})
"""What Lightning and transformers write that no script has measured."""

_TRAINING = re.compile(r"(?:lr|learning_?rate)(?![a-z])|grad_norm$", re.IGNORECASE)
"""What is of training alone, and has the names of hyperparameters."""

_PARTS = re.compile(r"([/._\-: ]+)")

_CAMEL = re.compile(r"^(train|valid|val|test|eval|dev)(?=[A-Z])")


class Named(NamedTuple):
    """The phase of a metric, empty where its name has none, and its name without it."""

    phase: str
    metric: str


def split(name: str) -> Named:
    """Return the phase in a metric's name, and the name without it.

    >>> split("train/loss"), split("Loss/val"), split("best_val_acc")
    (Named(phase='train', metric='loss'), Named(phase='val', metric='Loss'), \
Named(phase='val', metric='best_acc'))
    >>> split("loss/val_loss"), split("value_loss")
    (Named(phase='val', metric='loss'), Named(phase='', metric='value_loss'))
    """
    parts = _PARTS.split(_CAMEL.sub(r"\1_", name))
    words = [phase_word(part, at == 0 or "/" in parts[at - 1]) for at, part in enumerate(parts)]
    phase = next((word for word in reversed(words) if word), "")
    if not phase:
        return Named("", name)
    for at in reversed(range(0, len(parts), 2)):
        if words[at] == phase:
            # With the separator after it, or at the end the one before it.
            del parts[at : at + 2]
            if at == len(parts) and at:
                del parts[at - 1]
    segments = "".join(parts).split("/")
    kept = [
        segment
        for segment, after in zip(segments, [*segments[1:], ""], strict=True)
        if segment.lower() != after.lower()
    ]
    metric = "/".join(kept)
    return Named(phase, metric) if metric.strip("/._-: ") else Named("", name)


def phase_word(word: str, is_first: bool = True) -> str:
    """Return the phase that a word names, or an empty string."""
    word = word.lower()
    return "" if word == "dev" and not is_first else WORDS.get(word, "")


def phases_of(names: Iterable[str]) -> dict[str, Named]:
    """Return the phases and metrics of names that one file has.

    ``loss`` beside ``val_loss`` is that of training, and so is a learning rate. Of what Lightning
    writes twice, the value of the epoch has the metric's name.

    >>> phases_of(["loss", "val_loss", "lr"])["loss"]
    Named(phase='train', metric='loss')
    >>> phases_of(["train_loss_step", "train_loss_epoch"])["train_loss_epoch"]
    Named(phase='train', metric='loss')
    """
    named = {name: split(name) for name in names}
    known = {*named.values()}
    measured = {metric.lower() for phase, metric in known if phase in ("val", "test")}
    for name, (phase, metric) in named.items():
        base = metric.removesuffix("_epoch")
        if base != metric and (phase, f"{base}_step") in known:
            metric = base
        if not phase and (metric.lower() in measured or _TRAINING.match(metric)):
            phase = "train"
        named[name] = Named(phase, metric)
    return {
        name: each
        for name, each in named.items()
        if each.metric not in PLACEHOLDERS and not (each.phase and each.metric in SPEEDS)
    }


def phase_of_file(path: str, folders_only: bool = False) -> str:
    """Return the phase in a file's name, or that of the nearest folder which is called like one.

    >>> phase_of_file("logs/train_log.csv"), phase_of_file("runs/validation/events.1")
    ('train', 'val')
    >>> phase_of_file("testbed/log.csv")
    ''
    """
    *folders, file = path.split("/")
    stem = "" if folders_only else file.rpartition(".")[0]
    words = [phase_word(word) for word in _PARTS.split(stem)[::2]]
    own = [*words, *(phase_word(folder) for folder in reversed(folders))]
    return next((word for word in own if word), "")
