"""Questions asked of pairs of image and class, and not of a box: how faithful is a heatmap to its network?

As with boxes, data goes one way: images, one forward pass, a class policy's classes, the methods' heatmaps,
what :mod:`benchmark.readings` read off each, stored with one row a pair; and from what is stored, by
:mod:`benchmark.pair_metrics`, a table. Where a row has a reference (the occlusion map), that is one more
method whose pairs are stored in the same way; the two meet only in the metrics.
"""
