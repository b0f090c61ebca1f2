"""The implementation of logx: writing metrics, messages, artifacts and checkpoints of a run."""
