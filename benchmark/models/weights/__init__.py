"""Files of parameters: how they are found, downloaded, verified and read."""
