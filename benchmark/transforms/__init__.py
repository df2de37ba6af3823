"""The geometry of inputs: which part of an image a network sees, and how it is resampled.

One file a transform, found by the ``_target_`` of its yaml; the names here are those of the first two.
"""

from benchmark.transforms.center_crop import CenterCrop
from benchmark.transforms.normalize import to_input
from benchmark.transforms.warp import Warp

__all__ = ["CenterCrop", "Warp", "to_input"]
