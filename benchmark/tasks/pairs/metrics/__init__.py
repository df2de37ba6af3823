"""Metrics of pairs of image and class, one file each."""
