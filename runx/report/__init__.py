"""The report: an experiment as one HTML page, written to a file or served while runs go on."""
