"""``python -m benchmark``: the same as ``./scripts/run``."""

from benchmark.cli.app.entry_point import start

start("run")
