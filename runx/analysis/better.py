"""Whether less or more of a metric is better, guessed from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LOWER = """
loss err error errors perplexity ppl mae mse mape smape rmse rmsle msle wer cer ter eer nll ce bce
xent entropy crossentropy divergence kl kld fid kid lpips bpc bpb bpd regret brier ece hausdorff emd
cost latency fpr fnr mpjpe ade fde epe absrel sqrel
"""
LOWER = frozenset(_LOWER.split())
"""Words in the names of metrics of which less is better."""
_HIGHER = """
acc accuracy top f f1 fscore fbeta dice iou miou jaccard auc auroc auprc roc map ap precision recall
sensitivity specificity tpr tnr bleu rouge meteor cider psnr ssim snr sdr r2 reward return score
kappa mcc ndcg mrr hit hits pck success throughput correct pearson spearman
"""
HIGHER = frozenset(_HIGHER.split())
"""Words in the names of metrics of which more is better."""
_ENDINGS = ("loss", "error", "err", "perplexity", "mse", "mae")


def lower_is_better(metric: str, lower: Iterable[str] = (), higher: Iterable[str] = ()) -> bool:
    """Return whether less of a metric is better: by ``lower`` and ``higher``, else by its name.

    >>> [lower_is_better(name) for name in ("val_loss", "top5-err", "accuracy", "WER")]
    [True, True, False, True]
    >>> lower_is_better("size", lower=["size"])
    True
    """
    if metric in higher:
        return False
    return metric in lower or direction(metric) is False


def direction(metric: str) -> bool | None:
    """Return whether more is better, by a metric's name; None where that is unknown.

    >>> [direction(name) for name in ("mIoU", "testLoss", "bananas")]
    [True, False, None]
    """
    words = _words(metric)
    if any(word in LOWER or word.endswith(_ENDINGS) for word in words):
        return False
    if any(word in HIGHER or word.endswith(("acc", "accuracy", "iou")) for word in words):
        return True
    return None


def _words(metric: str) -> list[str]:
    """Return the words of a metric's name, split at punctuation and inside camelCase.

    >>> _words("val/top5-ErrRate.mIoU")
    ['val', 'top', 'err', 'rate', 'miou']
    """
    if not metric.isupper():
        metric = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z]{2})", " ", metric)
    words = re.split(r"[^a-z0-9]+", metric.lower())
    return [word.rstrip("0123456789") if word not in HIGHER else word for word in words if word]
