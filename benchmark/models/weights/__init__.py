"""Where parameters come from: files found, fetched, verified and read."""
