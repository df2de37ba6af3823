"""Entry points: the only modules, beside config, that import Hydra."""
