"""Training of the classifiers of :mod:`benchmark.models`, from scratch or from given weights."""
