"""``./scripts/neurons``: recompute a csv of neuron names, of ours or of NetDissect's, from its counts."""

from collections import Counter
from typing import Annotated

import numpy as np
from omegaconf import DictConfig

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.reporting.neuron_names import read_names

_SHOWN = 5


def main(cfg: DictConfig) -> int:
    """Print the detectors of ``names=FILE.csv`` by category, and how many stated IoUs its counts give."""
    if cfg.names is None:
        raise UserError("names: name a csv, such as names=netdissect/caffe_reference_imagenet.csv")
    least = check("least", cfg.least, Annotated[float, "[0, 1)"])
    names = read_names(str(cfg.names))
    detectors = names.above(least)
    print(f"{cfg.names}: {names.units} units, {len(detectors)} of them detectors (IoU > {least:g})")
    for category, (units, concepts) in names.by_category(least).items():
        print(f"  {category:<10} {units} units of {concepts} concepts")
    often = Counter(name.concept for name in detectors.values()).most_common(_SHOWN)
    print("  most often", ", ".join(f"{concept} ({count})" for concept, count in often) or "nothing")
    apart = np.abs(names.iou - names.stated)
    equal = int((apart == 0).sum())
    print(f"  recomputed {equal} of {len(apart)} IoUs to the last digit, the others to {apart.max():.1g}")
    return 0
