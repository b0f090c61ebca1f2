"""Telling people that a sweep has ended, that a run has failed first, that the best was beaten."""
