"""Frozen classifiers, one file a family."""
