"""What is to be run, against what there is."""
