"""Synthetic, privacy-safe, linked replicas of government datasets.

This package makes and measures replicas. It knows nothing of notebooks, runs or pages.
"""

__version__ = "0.1.0"
