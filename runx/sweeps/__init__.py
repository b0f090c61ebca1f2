"""Sweeps: HPARAMS as YAML, its axes, expressions and points, names and identities of runs."""
