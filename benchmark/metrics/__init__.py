"""Numbers computed from records alone, one file a metric."""
