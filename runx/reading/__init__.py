"""Runs read back: found, gathered, described, removed."""
