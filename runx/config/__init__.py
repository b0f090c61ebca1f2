"""Files, environment and flags to one Experiment, by one table of settings."""
