"""``python -m benchmark``: the same as ``./scripts/run``."""

import sys

from benchmark.cli.__main__ import main

if __name__ == "__main__":
    sys.argv.insert(1, "run")
    main()
