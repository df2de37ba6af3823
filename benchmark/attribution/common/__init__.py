"""Arithmetic that several attribution methods share."""
