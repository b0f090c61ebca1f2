"""Measurements of runx beside the least work with the same result, the original and its peers.

``python -m benchmarks`` measures in turns and prints ratios; see docs/performance.md.
"""
