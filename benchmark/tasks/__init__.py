"""Measure something and tabulate it: one folder a task."""
