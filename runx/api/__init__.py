"""All that runx does, for the command line and for Python alike; nothing here prints a table."""
