"""Full-size networks against independent oracles; a package, since two files are called conftest."""
