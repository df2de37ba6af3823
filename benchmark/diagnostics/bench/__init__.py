"""Times and memory of methods, for ./scripts/bench."""
