"""From a command line to configurations: all that commands share of Hydra."""
