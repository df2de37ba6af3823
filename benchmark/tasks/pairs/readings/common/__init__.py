"""Arithmetic of a reading that is too long for its file."""
