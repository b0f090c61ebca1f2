"""From a plan to run directories that start, here or on a farm."""
