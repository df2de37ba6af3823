"""``python -m benchmark``: the same as ``./scripts/run``."""

from benchmark.cli.run import main

main()
