"""The execution of runs on this machine: processes, GPUs, signals."""
