"""What is read off a heatmap and stored, one file a reading."""
