"""Searches measured: what samplers and rules of early stopping reach, beside those of others.

``python -m benchmarks.search`` runs them; what was run once is kept, in the file of --kept.
"""
