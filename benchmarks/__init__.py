"""What runx costs beside the least work that gives the same result, the original and its peers.

``python -m benchmarks`` measures in turns and prints ratios; see docs/performance.md.
"""
