"""Rows of metrics, and what they come to."""
