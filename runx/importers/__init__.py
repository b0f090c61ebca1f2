"""Configurations and scripts of other tools as experiments, a module for each tool."""
