"""Tables and pictures of runs, written as text or files."""
