"""Measurements: each figure against a baseline in the same run, medians of several rounds."""
