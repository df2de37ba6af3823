"""What ./scripts/doctor looks at: the images of a dataset, and whether a model classifies them."""
