"""Sources of concepts' masks, one file each."""
