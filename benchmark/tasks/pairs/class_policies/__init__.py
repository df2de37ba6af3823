"""Class policies, one file each: for which classes of an image heatmaps are made."""
