"""From a plan to runs that start: decide, create, record, preview."""
