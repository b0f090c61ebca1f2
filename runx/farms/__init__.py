"""Schedulers: a module of pure functions for each, and what submits, asks and cancels."""
