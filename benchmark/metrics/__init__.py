"""Metrics, one file each: numbers computed from stored records alone."""
