"""Readings, one file each: the values that are read off a heatmap and stored."""
