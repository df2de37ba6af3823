"""Explain images or arrays that belong to no dataset."""
