"""Records, tables, groups, comparisons and failures of runs that are read back."""
