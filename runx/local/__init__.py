"""Runs on this machine: processes, GPUs, signals."""
