"""Boxes: a box for each heatmap, compared with the annotated ones; Table 1."""
