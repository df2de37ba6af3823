"""Arithmetic on records that several metrics share."""
