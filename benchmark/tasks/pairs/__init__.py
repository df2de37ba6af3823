"""Ask about pairs of image and class, without a box: how faithful is a heatmap to its network?

As with boxes, data goes one way: images, one forward pass, the classes that a class policy chooses, the
methods' heatmaps, what :mod:`benchmark.tasks.pairs.readings` read off each, stored with one row a pair; and
from what is stored, by :mod:`benchmark.tasks.pairs.metrics`, a table. Where a row has a reference (the
occlusion map), that is one more method whose pairs are stored in the same way; the two meet only in the
metrics.
"""
