"""Datasets, one folder each: how images, labels and boxes are read from disk."""
