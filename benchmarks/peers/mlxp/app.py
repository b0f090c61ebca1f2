"""``python app.py seed=0,1,2``: a run for each seed, one after another, of ``epochs`` rows."""

import mlxp


@mlxp.launch(config_path="./configs")
def main(ctx):
    """Log what projects.results writes for a run."""
    seed = ctx.config.seed
    for epoch in range(ctx.config.epochs):
        acc = (seed * 7919 + epoch * 104729) % 1000003 / 1000003
        row = {"loss": 1 - acc, "acc": acc, "iou": acc / 2, "precision": acc / 3, "recall": acc / 4}
        ctx.logger.log_metrics({**row, "epoch": epoch}, log_name="val")


main()
