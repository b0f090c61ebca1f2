"""One run here, and the GPUs it gets."""
