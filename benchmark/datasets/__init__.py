"""Images with labels and boxes, one reader a dataset."""
