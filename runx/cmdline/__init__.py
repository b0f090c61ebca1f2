"""Points to words, files and the run.sh that executes them."""
