"""The way from a published number to a measured one, one convention at a time."""
