"""All that lies in a run's directory, written and read."""
