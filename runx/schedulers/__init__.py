"""Runs handed to a scheduler, its word on them, and their end."""
