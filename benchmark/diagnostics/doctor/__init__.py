"""Examinations for ./scripts/doctor: the images of a dataset, and whether a model classifies them."""
