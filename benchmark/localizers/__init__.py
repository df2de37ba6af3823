"""Box protocols: heatmap to box, one file a localizer."""
