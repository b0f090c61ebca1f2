"""What happened to a run, folded to its state."""
