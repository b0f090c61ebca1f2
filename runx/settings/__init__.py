"""Settings: one table of all keys, their sources, and the Experiment that they come to."""
