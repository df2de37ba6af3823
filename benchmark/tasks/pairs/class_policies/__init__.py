"""Which classes of an image are asked about, one file a policy."""
