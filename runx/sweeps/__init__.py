"""HPARAMS to points, and points to names."""
