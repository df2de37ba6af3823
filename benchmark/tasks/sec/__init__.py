"""Train a segmentation head on seeds by SEC's three losses, and measure its mean intersection over union."""
