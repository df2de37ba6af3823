"""Attribution methods, one file each: how the heatmap of a class is made."""
