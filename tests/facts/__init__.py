"""The published facts behind the shipped yamls, their sources, and a search for values that none settles."""
