"""What the command line does, from Python."""
