"""Farms: a module of pure functions for each type; submission, query and control of their jobs."""
