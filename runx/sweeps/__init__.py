"""HPARAMS to the points of a sweep: YAML, values, expressions, axes, names, identity."""
