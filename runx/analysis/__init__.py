"""Runs read back: records, tables, groups, comparisons, failures."""
